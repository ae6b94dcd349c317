"""Texts that an expression may have: its cases, each as pieces of text and the values between them.

An f-string `f"Reading page {page} of {len(pages)}"` is one case with two values. A choice inside of one, and a local variable
that holds a piece, give a case each.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from service.lib.sentences.places import NUMBERS, PHRASE_CALLS, WRAPPERS

CASES_MAX = 16
"""Messages that one expression may give: more are the sign of a sentence that is not made of few cases."""

DEPTH_MAX = 6


@dataclass(frozen=True)
class Hole:
    """A value in a message. `name` is made of the expression."""

    name: str


Part = str | Hole
Parts = tuple[Part, ...]


@dataclass
class Scope:
    """Pieces of text that the local variables of a function hold."""

    texts: dict[str, list[ast.expr]] = field(default_factory=dict)

    def without(self, name: str, values: Iterable[ast.expr]) -> list[ast.expr]:
        """Values that are not made of the variable itself."""
        return [
            value
            for value in values
            if not any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))
        ]


def cases_of(node: ast.expr, scope: Scope, depth: int = 0) -> list[Parts]:
    """Cases of an expression; none for one that holds no text of this module."""
    if depth > DEPTH_MAX:
        return []
    match node:
        case ast.Constant(value=str(text)):
            return [_formatted(text)] if text else [()]
        case ast.JoinedStr(values=values):
            return _joined([_piece(value, scope, depth) for value in values])
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            if cases_of(left, scope, depth + 1) or cases_of(right, scope, depth + 1):
                return _joined([_operand(one, scope, depth) for one in (left, right)])
            return []
    return _either(_alternatives(node, scope), scope, depth)


def _either(nodes: Iterable[ast.expr], scope: Scope, depth: int) -> list[Parts]:
    return [parts for node in nodes for parts in cases_of(node, scope, depth + 1)]


def _piece(node: ast.expr, scope: Scope, depth: int) -> list[Parts]:
    """Cases of a part of an f-string."""
    if not isinstance(node, ast.FormattedValue):
        return cases_of(node, scope, depth)
    return _operand(node.value, scope, depth, ast.unparse(node.format_spec) if node.format_spec else "")


def _operand(node: ast.expr, scope: Scope, depth: int, form: str = "") -> list[Parts]:
    """Cases of a piece: text where all of its cases are texts, else a placeholder."""
    hole: Parts = (Hole(_placeholder(node, form)),)
    if isinstance(node, ast.Name) and node.id in scope.texts:
        values = scope.without(node.id, scope.texts[node.id])
    elif isinstance(node, ast.IfExp):
        values = [node.body, node.orelse]
    else:
        return cases_of(node, scope, depth + 1) or [hole]
    cases: list[Parts] = []
    if not any(any(cases_of(value, scope, depth + 1)) for value in values):
        # Nothing but an empty text: the value itself is what is shown.
        return [hole]
    for value in values:
        other: Parts = (Hole(_placeholder(value, form)),) if isinstance(node, ast.IfExp) else hole
        cases += cases_of(value, scope, depth + 1) or [other]
    return list(dict.fromkeys(cases)) if len(cases) <= CASES_MAX else [hole]


def _alternatives(node: ast.expr, scope: Scope) -> Sequence[ast.expr]:
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
        case ast.Call(func=func, args=[inner, *_]) if name_of(func) in WRAPPERS:
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


def assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """(variable, value) of each assignment of a statement."""
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


def name_of(node: ast.expr) -> str:
    """The identifier of a name, or the last one of an attribute; empty for other expressions."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _placeholder(node: ast.expr, form: str) -> str:
    """A name for a value: the last identifier of its expression, with the kind of what is shown as a number."""
    kind = ""
    while True:
        match node:
            case ast.Call(func=func, args=[inner, *_]) if name_of(func) in NUMBERS:
                kind, node = NUMBERS[name_of(func)], inner
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
    name = name_of(node).strip("_").lower() or "value"
    return f"{name}_{kind}" if kind and not name.endswith(kind) else name
