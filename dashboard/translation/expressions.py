"""Words within a template's expressions: literals, concatenations and choices become parts of a message.

`{{ "page" if n == 1 else "pages" }}` is a choice between two words, `{{ name or "none" }}` one between a value and a word.
All else, a name, a filter, a call, is a value whose text a message only places.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

TOKEN = re.compile(r"""\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_][\w.]*|\d[\w.]*|[=!<>]=|//|\*\*|.""", re.DOTALL)
KEYWORDS = frozenset({"if", "else", "or", "and", "not", "in", "is", "none", "None", "true", "false", "loop"})
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Words:
    """A text; of a literal or of the template itself."""

    text: str


@dataclass(frozen=True)
class Value:
    """An expression whose text is placed in a message. `source` is what stands for it where it is a whole piece of a template."""

    code: str
    source: str = field(default="", compare=False)


@dataclass(frozen=True)
class Choice:
    """Texts of which the first whose condition holds is shown; the last one has no condition."""

    conditions: tuple[str, ...]
    branches: tuple["Parts", ...]


Part = Words | Value | Choice
Parts = tuple[Part, ...]


def tokens(code: str) -> list[str]:
    """The expression in tokens, spaces included: joined they are the expression again."""
    return TOKEN.findall(code)


def parts_of(code: str) -> Parts:
    """Parts of what an expression shows."""
    code = _bare(code)
    found = tokens(code)
    if (cut := _first(found, "if")) is not None:
        return (_choice(found, cut),)
    if (cut := _first(found, "or")) is not None:
        value = "".join(found[:cut]).strip()
        rest = "".join(found[cut + 1 :])
        return (Choice((value,), (parts_of(value), parts_of(rest))),)
    if _first(found, "~") is not None:
        return tuple(part for one in _split(found, "~") for part in parts_of(one))
    literals = [one for one in found if not one.isspace()]
    if literals and all(one[0] in "\"'" for one in literals):
        return (Words("".join(ESCAPED.sub(_unescaped, one[1:-1]) for one in literals)),)
    if marked := _marked(found):
        return parts_of(marked)
    return (Value(code),)


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(found[1], found[1])


def _choice(found: list[str], cut: int) -> Choice:
    """`a if c else b if d else e` as one choice of three."""
    value = "".join(found[:cut])
    otherwise = _first(found, "else", cut + 1)
    condition = "".join(found[cut + 1 : otherwise]).strip()
    rest: Parts = parts_of("".join(found[otherwise + 1 :])) if otherwise is not None else ()
    if len(rest) == 1 and isinstance(rest[0], Choice):
        return Choice((condition, *rest[0].conditions), (parts_of(value), *rest[0].branches))
    return Choice((condition,), (parts_of(value), rest))


def _depths(found: list[str]) -> Iterator[int]:
    depth = 0
    for token in found:
        if token in "([{":
            depth += 1
        if token in ")]}":
            depth -= 1
        yield depth


def _first(found: list[str], wanted: str, start: int = 0) -> int | None:
    """Position of a token outside of brackets."""
    depths = list(_depths(found))
    return next((at for at in range(start, len(found)) if found[at] == wanted and not depths[at]), None)


def _split(found: list[str], separator: str) -> list[str]:
    split, depths = [""], _depths(found)
    for token, depth in zip(found, depths, strict=True):
        if token == separator and not depth:
            split.append("")
        else:
            split[-1] += token
    return split


def _bare(code: str) -> str:
    """Without brackets around the whole."""
    code = code.strip()
    while code.startswith("("):
        found = tokens(code)
        closes = next((at for at, depth in enumerate(_depths(found)) if not depth), None)
        inner = found[1:-1]
        if closes != len(found) - 1 or _first(inner, ",") is not None:
            break
        code = "".join(inner).strip()
    return code


def _marked(found: list[str]) -> str | None:
    """The expression within `_( )` where that is the whole."""
    if len(found) < 3 or found[0] != "_" or found[1] != "(":
        return None
    closes = next(at for at, depth in enumerate(_depths(found)) if at and not depth)
    return "".join(found[2:-1]) if closes == len(found) - 1 else None


def marks(code: str) -> list[tuple[int, int]]:
    """Beginnings and ends of each `_( )` in an expression or a statement, as positions in its text."""
    found, at, open_marks, spans = tokens(code), 0, [], []
    depth, before = 0, ""
    for token in found:
        if token == "(":
            depth += 1
            if before == "_":
                open_marks.append((depth, at - 1))
        elif token in "[{":
            depth += 1
        elif token in ")]}":
            if open_marks and open_marks[-1][0] == depth:
                spans.append((open_marks.pop()[1], at + 1))
            depth -= 1
        at += len(token)
        before = token
    return spans


def name_of(code: str) -> str:
    """Name of a value in a message: the last part of the first name in its expression."""
    for token in tokens(code):
        if re.fullmatch(r"[A-Za-z_][\w.]*", token) and token not in KEYWORDS:
            return token.rpartition(".")[2]
    return "value"


def code_of(parts: Parts) -> str:
    """An expression that shows the parts."""
    if not parts:
        return '""'
    return " ~ ".join(_part_code(part) for part in parts)


def _part_code(part: Part) -> str:
    match part:
        case Words(text):
            return literal(text)
        case Value(code):
            return f"({code})"
        case Choice(conditions, branches):
            pairs = zip(branches, conditions, strict=False)
            chosen = "".join(f"{code_of(branch)} if ({condition}) else " for branch, condition in pairs)
            return f"({chosen}{code_of(branches[-1])})"


def literal(text: str) -> str:
    """The text as a literal of a template."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
