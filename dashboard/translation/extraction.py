"""Extraction of the messages of templates, for Babel, and the update of the catalogues: `python -m dashboard.translation`."""

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from dashboard.translation.catalogue import FOLDER, catalogue_file
from dashboard.translation.source import units
from dashboard.translation.words import named_words

TEMPLATES = FOLDER.parent

Found = tuple[int, str, str, Sequence[str]]


def extract(
    file: BinaryIO, keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[Found]:
    """Babel's extraction method: line, function, message and comments of each unit of a template."""
    for unit in units(io.TextIOWrapper(file, encoding="utf-8").read()):
        yield unit.line, "gettext", unit.message.text, ()


def template_catalogue() -> Catalog:
    """Every message of the pages, with the templates in which it stands."""
    catalogue = Catalog(project="Offload", charset="utf-8")
    for path in sorted(TEMPLATES.rglob("*.html")):
        with path.open("rb") as file:
            for _, _, message, comments in extract(file, {}, (), {}):
                # Without line numbers: each edit of a template would change the catalogue.
                catalogue.add(message, locations=[(path.relative_to(TEMPLATES).as_posix(), 0)], auto_comments=comments)
    for word in named_words():
        catalogue.add(word, locations=[("translation/words.py", 0)])
    return catalogue


def updated(language: str) -> bytes:
    """The language's catalogue with what the templates say now: new messages are empty, and those that are gone are left out."""
    from dashboard.translation.catalogue import catalogue

    fresh, known = template_catalogue(), catalogue(language) if catalogue_file(language).exists() else Catalog()
    result = Catalog(project="Offload", locale=language, charset="utf-8", fuzzy=False)
    for message in fresh:
        if message.id:
            old = known.get(message.id)
            result.add(message.id, old.string if old else "", locations=message.locations)
    written = io.BytesIO()
    write_po(written, result, width=120, sort_by_file=True, omit_header=True, include_lineno=False)
    header = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    return header.encode() + written.getvalue()
