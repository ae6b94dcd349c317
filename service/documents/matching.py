"""Documents whose names hold a text: what `file:` stands for in a filter of jobs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from service.database import Database
from service.documents.listing import DocumentFilter, list_documents
from service.documents.store import FILE_ID
from service.engine.job_query import Parsed, Term

SAME_NAME_MAX = 200
"""Documents of one name whose jobs a list shows: bounds the indexes that one page reads."""


@dataclass(frozen=True)
class SameName:
    """Ids of the newest documents whose name holds a text; `more`: there are older ones."""

    ids: list[str]
    more: bool


@dataclass(frozen=True)
class Files:
    """Documents that the `file:` terms of a query stand for, by text."""

    by_text: dict[str, SameName]

    @property
    def ids(self) -> dict[str, list[str]]:
        return {text: found.ids for text, found in self.by_text.items()}

    @property
    def cut(self) -> list[str]:
        """Texts that more documents have in their names than are looked at."""
        return [text for text, found in self.by_text.items() if found.more]


async def documents_named(database: Database, name: str, owner: str = "") -> SameName:
    """Documents whose name holds `name`, whatever its case, newest first; of one owner where one is named."""
    page = await list_documents(database, DocumentFilter(name=name, owner=owner), limit=SAME_NAME_MAX)
    return SameName([one.file_id for one in page.documents], page.next_cursor is not None)


async def matching_files(database: Database, terms: Iterable[Term], owner: str = "") -> Files:
    """The documents of every `file:` term."""
    texts = dict.fromkeys(text for term in terms if term.key == "file" for text in term.values)
    return Files({text: await documents_named(database, text, owner) for text in texts})


def many_files(text: str) -> str:
    """The sentence for a text that too many names hold."""
    return f"More than {SAME_NAME_MAX} files have {text[:80]} in their names: jobs of the newest {SAME_NAME_MAX} are looked at."


def with_ids(parsed: Parsed) -> Parsed:
    """The query with bare ids of files as terms."""
    ids = [word for word in parsed.words if FILE_ID.fullmatch(word)]
    return replace(
        parsed,
        terms=(*parsed.terms, *(Term("file_id", (one,)) for one in ids)),
        words=tuple(word for word in parsed.words if word not in ids),
    )
