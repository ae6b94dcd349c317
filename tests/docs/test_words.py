"""Plain words: docstrings begin with a noun or a verb, names are the field's terms, events of the log are `noun.verb`.

A stranger at three in the morning reads each text once. Words that must be decoded are listed here, each with what to write
instead; the list grows by every word that a reader stumbled over.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PRODUCT = ("settings", "tasks", "service", "dashboard")

CODE = (*PRODUCT, "offload", "clients", "examples", "bench", "tests")

TEXTS = ("docs", "dashboard", "service", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "clients", "bench", "examples")

QUESTIONS = re.compile(r"(What|Who|Whom|Whose|Whoever|Where|How|Which|Why|Whether)\b")

OPENINGS = re.compile(r"Answers\b")

WORDS = {
    r"whoever|whosoever": "the caller, a client, an operator",
    r"somebody|nobody": "a client, an operator, no process; or the passive",
    r"meanwhile": "in the meantime, until then",
    r"anew": "again",
    r"for ever": "forever",
    r"beside": "next to, with, in addition to, compared with",
    r"by itself|by themselves": "alone, automatically",
    r"befalls?": "happen to",
    r"mends?|mended|mending": "fix",
    r"lest": "so that … not",
    r"caretaker": "maintenance leader",
    r"what became of": "the outcome of",
    r"none of ours": "invalid, unknown",
    r"handed|handing|hands? (?:over|out|back|on)": "dispatched, passed on, returned",
    r"(?<!there )(?:is|are) no (?!longer\b|more\b|less\b|\w+er\b)\w+": "is not a …",
}
"""Words that a reader must decode, and what to write instead."""

ANY_WORD = re.compile("|".join(WORDS), re.IGNORECASE)
"""Tells quickly which modules need not be taken apart."""

IN_CODE = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)|class=\"[^\"]*\"", re.DOTALL)
"""Names and addresses within a text: their words are not prose."""

NAMES = {
    "said": "message, text, reply, reason",
    "told": "sent, reported, announced",
    "heard": "received",
    "hear": "receive",
    "says": "message, sentence",
    "say": "report, log",
    "saying": "message",
    "handed": "dispatched",
    "handover": "dispatch",
    "wired": "…Dep, as the other dependencies",
    "standing": "status",
    "standings": "statuses",
    "look": "poll, check, badge",
    "looks": "badges, polls",
    "looked": "checked",
    "asked": "requested, wanted",
    "patience": "retry",
    "patient": "retried",
    "lane": "connection",
    "caretaker": "maintenance",
    "lifeline": "parent_death",
    "adopt": "import, external",
    "foreign": "external",
    "beside": "concurrent, next_to",
    "meanwhile": "until_then",
    "anew": "again",
    "somebody": "user",
    "nobody": "anonymous",
    "whoever": "caller",
    "noted": "recorded",
    "steer": "pause, limit, set_hold",
    "lift": "remove",
    "lives": "statuses",
}
"""Words that a name is not made of, and what to call the thing instead."""

PUBLIC_NAMES = {"beside"}
"""Names of `Run`, which packages of job types call."""

LOG_EVENT = re.compile(r"[a-z_]+\.[a-z_]+(: .*)?")
"""`noun.verb`, as `job.started`; the library's own loggers add what `%s` stands for after a colon."""

LOG_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def modules(folder: str) -> Iterator[tuple[str, str]]:
    """(path, source) of every module of a folder but this one."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        if path != Path(__file__) and "node_modules" not in path.parts:
            yield str(path.relative_to(ROOT)), path.read_text()


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every docstring, and every line under a constant or a field."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value


def product_docstrings() -> Iterator[tuple[str, str]]:
    for folder in PRODUCT:
        for path, source in modules(folder):
            for found in docstrings(ast.parse(source)):
                yield f"{path}:{found.lineno}", str(found.value).strip()


def prose(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of the docstrings and the comments of a module."""
    for found in docstrings(ast.parse(source)):
        yield found.lineno, str(found.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def documents(place: str) -> Iterator[tuple[str, str]]:
    """(path, text) of Markdown, templates and the comments of Lua scripts."""
    root = ROOT / place
    for path in [root] if root.is_file() else sorted(root.rglob("*")):
        if "node_modules" in path.parts:
            continue
        if path.suffix in (".md", ".html"):
            yield str(path.relative_to(ROOT)), path.read_text()
        elif path.suffix == ".lua":
            yield (
                str(path.relative_to(ROOT)),
                "\n".join(line.partition("--")[2] for line in path.read_text().split("\n")),
            )


def hard_words(place: str, first_line: int, text: str) -> list[str]:
    """A sentence for each hard word of a text, with what to write instead. Names in backquotes are passed over."""
    plain = IN_CODE.sub(lambda found: re.sub(r"[^\n]", "_", found.group()), text)
    return [
        f"{place}:{first_line + plain.count(chr(10), 0, found.start())}: for {found.group()!r} write {instead}"
        for pattern, instead in WORDS.items()
        for found in re.finditer(rf"\b(?:{pattern})\b", plain, re.IGNORECASE)
    ]


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of whatever a module names itself: functions, classes, parameters, variables and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                # The name of a test is a sentence.
                if not name.startswith(("test_", "Test")):
                    yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name


def words_of(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in small letters."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def log_events(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, event) of every line of the log that names its event where it is written."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=logger, attr=level), args=[ast.Constant(value=str(event)), *_]) if (
                level in LOG_LEVELS and re.search(r"\b(log|logger|get_logger\(.*\))$", ast.unparse(logger))
            ):
                yield node.lineno, event


def test_no_docstring_begins_with_a_question_word() -> None:
    assert [place for place, text in product_docstrings() if QUESTIONS.match(text)] == []


def test_a_return_value_is_returned_and_not_answered() -> None:
    assert [place for place, text in product_docstrings() if OPENINGS.search(text)] == []


@pytest.mark.parametrize("folder", CODE)
def test_comments_and_docstrings_are_in_plain_words(folder: str) -> None:
    assert [
        sentence
        for path, source in modules(folder)
        if ANY_WORD.search(source)
        for line, text in prose(source)
        for sentence in hard_words(path, line, text)
    ] == []


@pytest.mark.parametrize("place", TEXTS)
def test_documents_and_templates_are_in_plain_words(place: str) -> None:
    assert [sentence for path, text in documents(place) for sentence in hard_words(path, 1, text)] == []


@pytest.mark.parametrize("folder", CODE)
def test_names_are_the_terms_of_the_field(folder: str) -> None:
    assert [
        f"{path}:{line}: {name} has the word {word!r}: call it {NAMES[word]}"
        for path, source in modules(folder)
        for line, name in names(ast.parse(source))
        for word in words_of(name)
        if word in NAMES and name not in PUBLIC_NAMES
    ] == []


@pytest.mark.parametrize("folder", PRODUCT)
def test_log_events_are_named_noun_verb(folder: str) -> None:
    events = [(path, *found) for path, source in modules(folder) for found in log_events(ast.parse(source))]
    assert [f"{path}:{line}: {event!r}" for path, line, event in events if not LOG_EVENT.fullmatch(event)] == []
    assert events or folder == "settings"


@pytest.mark.parametrize("folder", CODE)
def test_an_ignored_type_error_has_its_reason(folder: str) -> None:
    assert [
        f"{path}:{line}"
        for path, source in modules(folder)
        for line, text in enumerate(source.splitlines(), 1)
        if "type: " + "ignore" in text and not re.search(r"type: ignore\[[a-z, -]+\]  # \S", text)
    ] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The file beside it", "t.md:3: for 'beside' write next to, with, in addition to, compared with"),
        ("a number is no string", "t.md:3: for 'is no string' write is not a …"),
    ],
)
def test_the_check_names_the_word_its_line_and_a_plain_one(text: str, found: str) -> None:
    assert hard_words(
        "t.md", 1, f"\n\n{text} `run.beside` there is no job, no longer kept; it is no longer there."
    ) == [found]
