"""Sentences of a module, found in its syntax tree, as messages with named placeholders: an extractor for Babel.

Code writes its sentences as it likes: literals, f-strings, pieces joined by `+` or chosen by `if`. An f-string
`f"Reading page {page} of {len(pages)}"` is the message `Reading page {page} of {pages}`. A choice inside of one, and a local
variable that holds a piece, give a message for each case. The docstring of a job type, its description on pages, is one too.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from service.lib.sentences.cases import Parts, Scope, assigned, cases_of, name_of
from service.lib.sentences.places import KEYWORDS, PLACES, ROUTES, UNSHOWN, UNSHOWN_KEYWORDS

WORD = re.compile(r"[A-Za-z]{2,}")

SENTENCE = re.compile(r"(?:[A-Z][a-z']*|[AI]|\{\w+\})[ ,:](?=.*\w{2,}).*[.!?…]", re.DOTALL)

PHRASE = re.compile(r"(?=.*[A-Za-z]{2,}.* .*[A-Za-z]{2,}).*", re.DOTALL)

CODE = re.compile(
    "|".join(
        (
            r"[<>\\]",
            r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|SET|local|JOIN|DUMP|HGET|CIDInit|endcmap|INLINE)\b",
            # Addresses, headers, formats and types.
            r"^\W*$|://\{|/$|; filename=|no-store|max-age|'(?:self|none)'|; charset|: 8bit|Basic realm|noindex|\{\{\{",
            # Names, types, events of the log, inputs of a digest, and a list of languages.
            r"^[a-z_.]+$|%[sd]|^[a-z]+\.[a-z_]+: |form token|j_complete|prctl|yyyy-| after $|^OFFLOAD_| \| None|\{%",
            r"^(?:af az|ru rs|ar fa|hi mr|bn as)",
        )
    )
)
"""Texts that are not a sentence, whatever they look like."""

FRAGMENT = re.compile(r"\s|[,;:.(/&]|[a-z]+(-[a-z]+)+$")
"""Beginning of a piece that stands in another message as a whole, of an address, or a name with dashes."""


@dataclass(frozen=True)
class Found:
    """A message of a module, at a line."""

    line: int
    message: str


def messages(source: str, phrases: bool = False) -> list[Found]:
    """Every message of a module's source, once, in the order of their lines.

    `phrases`: with what is not a whole sentence and stands in none of the known places, where it has two words.
    """
    found: dict[str, int] = {}
    for line, parts in _Finder(ast.parse(source), phrases).all():
        message = written(parts)
        if speaks(message):
            found[message] = min(line, found.get(message, line))
    return sorted((Found(line, message) for message, line in found.items()), key=lambda one: (one.line, one.message))


def extract(
    file: BinaryIO, keywords: Iterable[str], comment_tags: Iterable[str], options: Mapping[str, Any]
) -> Iterator[tuple[int, None, str, list[str]]]:
    """The extractor, as Babel calls it. Its option `phrases` is that of `messages`."""
    for one in messages(file.read().decode(), options.get("phrases") in (True, "true")):
        yield one.line, None, one.message, []


def written(parts: Parts) -> str:
    """A message with its placeholders in braces, the names made unique."""
    names: dict[str, int] = {}
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part.replace("{", "{{").replace("}", "}}")
            continue
        names[part.name] = names.get(part.name, 0) + 1
        text += f"{{{part.name}{names[part.name] if names[part.name] > 1 else ''}}}"
    return text


def speaks(message: str) -> bool:
    """True for a message with a word in it, which is not code."""
    plain = re.sub(r"\{\w+\}", "", message)
    return bool(WORD.search(plain)) and not FRAGMENT.match(message) and not CODE.search(plain.strip())


class _Finder:
    """The expressions of a module that are shown, with the scope that each stands in."""

    def __init__(self, tree: ast.Module, phrases: bool) -> None:
        self.tree, self.phrases = tree, phrases
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.scopes: dict[ast.AST, Scope] = {}

    def all(self) -> Iterator[tuple[int, Parts]]:
        """(line, parts) of every message."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                for shown in node.exc.args:
                    yield from self._cases(shown)
            elif isinstance(node, ast.Call):
                for shown in _shown_arguments(node):
                    yield from self._cases(shown)
            elif isinstance(node, ast.AsyncFunctionDef) and (description := _description(node)):
                yield node.lineno, (description,)
            elif isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and self._is_sentence(node):
                yield from self._cases(node)

    def _cases(self, node: ast.expr) -> Iterator[tuple[int, Parts]]:
        for parts in cases_of(node, self._scope(node)):
            if any(isinstance(part, str) for part in parts):
                yield node.lineno, parts

    def _is_sentence(self, node: ast.expr) -> bool:
        """True for a whole expression that reads as a sentence, wherever it stands, but for docstrings and log lines."""
        if self._within(node):
            return False
        form = PHRASE if self.phrases else SENTENCE
        cases = cases_of(node, self._scope(node))
        return any(form.fullmatch(written(parts)) is not None for parts in cases)

    def _within(self, node: ast.expr) -> bool:
        """True for a piece of a larger text, and for what no person reads."""
        parent = self.parents.get(node)
        match parent:
            case (
                ast.JoinedStr() | ast.FormattedValue() | ast.Expr() | ast.Compare() | ast.Subscript() | ast.Attribute()
            ):
                return not (isinstance(parent, ast.Attribute) and parent.attr == "format")
            case ast.BinOp(op=ast.Add()):
                return True
            case ast.Call(func=func):
                return name_of(func) in UNSHOWN
            case ast.keyword(arg=name):
                call = self.parents.get(parent)
                return name in UNSHOWN_KEYWORDS or (
                    isinstance(call, ast.Call) and name_of(call.func) in UNSHOWN | ROUTES
                )
            case ast.Dict(keys=keys):
                return node in keys
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                return name == "__all__"
        return False

    def _function(self, node: ast.AST) -> ast.AST:
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                return node
        return self.tree

    def _scope(self, node: ast.AST) -> Scope:
        function = self._function(node)
        if function not in self.scopes:
            scope = self.scopes[function] = Scope()
            for inner in ast.walk(function) if function is not self.tree else ():
                for target, value in assigned(inner):
                    scope.texts.setdefault(target, []).append(value)
        return self.scopes[function]


def _description(function: ast.AsyncFunctionDef) -> str:
    """The docstring of a job type, which pages show; empty for other functions. Of its form as JobType keeps it."""
    declared = any(isinstance(one, ast.Call) and name_of(one.func) == "job" for one in function.decorator_list)
    return (ast.get_docstring(function, clean=False) or "").strip() if declared else ""


def _shown_arguments(call: ast.Call) -> Iterator[ast.expr]:
    """Arguments of a call that are shown to people."""
    name = name_of(call.func)
    place = PLACES.get(name)
    if place is not None:
        yield from (argument for index, argument in enumerate(call.args) if place == () or index in place)
    elif name[:1].isupper() and name.endswith(("Error", "Refused")):
        yield from call.args
    if name not in ROUTES:
        yield from (keyword.value for keyword in call.keywords if keyword.arg in KEYWORDS)
