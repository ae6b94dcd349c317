"""Sentences of a module, found in its syntax tree, as messages with named placeholders: an extractor for Babel.

Code writes its sentences as it likes: literals, f-strings, pieces joined by `+` or chosen by `if`. An f-string
`f"Reading page {page} of {len(pages)}"` is the message `Reading page {page} of {pages}`. A choice inside of one, and a local
variable that holds a piece, give a message for each case.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, BinaryIO

from service.lib.sentences.places import (
    KEYWORDS,
    NUMBERS,
    PHRASE_CALLS,
    PLACES,
    ROUTES,
    UNSHOWN,
    UNSHOWN_KEYWORDS,
    WRAPPERS,
)

CASES_MAX = 16
"""Messages that one expression may give: more are the sign of a sentence that is not made of few cases."""

DEPTH_MAX = 6

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
            r"^[a-z_.]+$|%[sd]|^[a-z]+\.[a-z_]+: |form token|j_complete|prctl|yyyy-| after $|^OFFLOAD_| \| None",
            r"^(?:af az|ru rs|ar fa|hi mr|bn as)",
        )
    )
)
"""Texts that are not a sentence, whatever they look like."""

FRAGMENT = re.compile(r"\s|[,;:.(/&]|[a-z]+(-[a-z]+)+$")
"""Beginning of a piece that stands in another message as a whole, of an address, or a name with dashes."""


@dataclass(frozen=True)
class Hole:
    """A value in a message. `name` is made of the expression."""

    name: str


Part = str | Hole
Parts = tuple[Part, ...]


@dataclass(frozen=True)
class Found:
    """A message of a module, at a line."""

    line: int
    message: str


@dataclass
class _Scope:
    """Pieces of text that the local variables of a function hold."""

    texts: dict[str, list[ast.expr]] = field(default_factory=dict)

    def without(self, name: str, values: Iterable[ast.expr]) -> list[ast.expr]:
        """Values that are not made of the variable itself."""
        return [
            value
            for value in values
            if not any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))
        ]


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
        self.scopes: dict[ast.AST, _Scope] = {}

    def all(self) -> Iterator[tuple[int, Parts]]:
        """(line, parts) of every message."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                for shown in node.exc.args:
                    yield from self._cases(shown)
            elif isinstance(node, ast.Call):
                for shown in _shown_arguments(node):
                    yield from self._cases(shown)
            elif isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and self._is_sentence(node):
                yield from self._cases(node)

    def _cases(self, node: ast.expr) -> Iterator[tuple[int, Parts]]:
        for parts in self._texts(node, self._scope(node), 0):
            if any(isinstance(part, str) for part in parts):
                yield node.lineno, parts

    def _is_sentence(self, node: ast.expr) -> bool:
        """True for a whole expression that reads as a sentence, wherever it stands, but for docstrings and log lines."""
        if self._within(node):
            return False
        form = PHRASE if self.phrases else SENTENCE
        texts = self._texts(node, self._scope(node), 0)
        return any(form.fullmatch(written(parts)) is not None for parts in texts)

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
                return _name(func) in UNSHOWN
            case ast.keyword(arg=name):
                call = self.parents.get(parent)
                return name in UNSHOWN_KEYWORDS or (isinstance(call, ast.Call) and _name(call.func) in UNSHOWN | ROUTES)
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

    def _scope(self, node: ast.AST) -> _Scope:
        function = self._function(node)
        if function not in self.scopes:
            scope = self.scopes[function] = _Scope()
            for inner in ast.walk(function) if function is not self.tree else ():
                for target, value in _assigned(inner):
                    scope.texts.setdefault(target, []).append(value)
        return self.scopes[function]

    def _texts(self, node: ast.expr, scope: _Scope, depth: int) -> list[Parts]:
        """Cases of an expression; none for one that holds no text of this module."""
        if depth > DEPTH_MAX:
            return []
        match node:
            case ast.Constant(value=str(text)):
                return [_formatted(text)] if text else [()]
            case ast.JoinedStr(values=values):
                return _joined([self._piece(value, scope, depth) for value in values])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                if self._texts(left, scope, depth + 1) or self._texts(right, scope, depth + 1):
                    return _joined([self._operand(one, scope, depth) for one in (left, right)])
                return []
        return self._either(_alternatives(node, scope), scope, depth)

    def _either(self, nodes: Iterable[ast.expr], scope: _Scope, depth: int) -> list[Parts]:
        return [parts for node in nodes for parts in self._texts(node, scope, depth + 1)]

    def _piece(self, node: ast.expr, scope: _Scope, depth: int) -> list[Parts]:
        """Cases of a part of an f-string."""
        if not isinstance(node, ast.FormattedValue):
            return self._texts(node, scope, depth)
        return self._operand(node.value, scope, depth, ast.unparse(node.format_spec) if node.format_spec else "")

    def _operand(self, node: ast.expr, scope: _Scope, depth: int, form: str = "") -> list[Parts]:
        """Cases of a piece: text where all of its cases are texts, else a placeholder."""
        hole: Parts = (Hole(_placeholder(node, form)),)
        if isinstance(node, ast.Name) and node.id in scope.texts:
            values = scope.without(node.id, scope.texts[node.id])
        elif isinstance(node, ast.IfExp):
            values = [node.body, node.orelse]
        else:
            return self._texts(node, scope, depth + 1) or [hole]
        cases: list[Parts] = []
        if not any(any(self._texts(value, scope, depth + 1)) for value in values):
            # Nothing but an empty text: the value itself is what is shown.
            return [hole]
        for value in values:
            other: Parts = (Hole(_placeholder(value, form)),) if isinstance(node, ast.IfExp) else hole
            cases += self._texts(value, scope, depth + 1) or [other]
        return list(dict.fromkeys(cases)) if len(cases) <= CASES_MAX else [hole]


def _alternatives(node: ast.expr, scope: _Scope) -> Sequence[ast.expr]:
    """Expressions of which one is the value of this one."""
    match node:
        case ast.IfExp(body=one, orelse=other):
            return [one, other]
        case ast.BoolOp(values=values):
            return values
        case ast.NamedExpr(value=value):
            return [value]
        case ast.Call(func=ast.Attribute(value=inner, attr="format")):
            return [inner]
        case ast.Call(func=func, args=[inner, *_]) if _name(func) in WRAPPERS:
            return [inner]
        case ast.Name(id=name) if name in scope.texts:
            return scope.without(name, scope.texts[name])
    return []


def _joined(pieces: list[list[Parts]]) -> list[Parts]:
    """Cases of pieces that follow each other, neighbouring texts put together."""
    count = 1
    for cases in pieces:
        count *= max(1, len(cases))
    if count > CASES_MAX:
        return []
    found = []
    for chosen in product(*pieces):
        merged: list[Part] = []
        for part in (part for case in chosen for part in case):
            if isinstance(part, str) and merged and isinstance(merged[-1], str):
                merged[-1] += part
            elif isinstance(part, Hole) and merged and isinstance(merged[-1], Hole):
                # Where one value ends and the next begins cannot be seen in the text.
                continue
            else:
                merged.append(part)
        found.append(tuple(merged))
    return found


def _formatted(text: str) -> Parts:
    """Parts of a text, which may have placeholders of its own for `str.format`."""
    parts: list[Part] = []
    for piece in re.split(r"(\{[a-z_]\w*(?::[^{}]*)?\})", text):
        if re.fullmatch(r"\{[a-z_].*\}", piece):
            name, _, form = piece[1:-1].partition(":")
            parts.append(Hole(f"{name}_number" if "," in form and not name.endswith("_number") else name))
        elif piece:
            parts.append(piece)
    return tuple(parts)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Name):
                    yield target.id, value
                elif (
                    isinstance(target, ast.Tuple)
                    and isinstance(value, ast.Tuple)
                    and len(target.elts) == len(value.elts)
                ):
                    for one, each in zip(target.elts, value.elts, strict=True):
                        if isinstance(one, ast.Name):
                            yield one.id, each
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value


def _shown_arguments(call: ast.Call) -> Iterator[ast.expr]:
    """Arguments of a call that are shown to people."""
    name = _name(call.func)
    place = PLACES.get(name)
    if place is not None:
        yield from (argument for index, argument in enumerate(call.args) if place == () or index in place)
    elif name[:1].isupper() and name.endswith(("Error", "Refused")):
        yield from call.args
    if name not in ROUTES:
        yield from (keyword.value for keyword in call.keywords if keyword.arg in KEYWORDS)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _placeholder(node: ast.expr, form: str) -> str:
    """A name for a value: the last identifier of its expression, with the kind of what is shown as a number."""
    kind = ""
    while True:
        match node:
            case ast.Call(func=func, args=[inner, *_]) if _name(func) in NUMBERS:
                kind, node = NUMBERS[_name(func)], inner
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[inner, *_]):
                node = inner
            case ast.Call(func=ast.Name(id=name), args=[inner, *_]):
                kind = kind or ("phrase" if name in PHRASE_CALLS else "")
                node = inner
            case ast.Subscript(value=inner) | ast.Await(value=inner):
                node = inner
            case ast.Call(func=ast.Attribute(value=inner)):
                node = inner
            case ast.BinOp(left=inner) | ast.UnaryOp(operand=inner) | ast.IfExp(body=inner) | ast.Starred(value=inner):
                node = inner
            case ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner) | ast.NamedExpr(value=inner):
                node = inner
            case ast.BoolOp(values=[inner, *_]):
                node = inner
            case _:
                break
    kind = kind or ("number" if re.search(r",|\.\d+f", form) else "")
    name = _name(node).strip("_").lower() or "value"
    return f"{name}_{kind}" if kind and not name.endswith(kind) else name
