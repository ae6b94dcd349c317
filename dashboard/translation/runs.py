"""Run of a template's source, text and inline tags between two boundaries: what people read of it, as items of a message."""

import re
from dataclasses import dataclass, field

from dashboard.translation.expressions import Value, Words, parts_of
from dashboard.translation.messages import Item, Tag, has_words

LITERAL = frozenset({"code", "kbd", "samp", "pre"})
"""A text that is alone in one of these is typed or read by machines."""
SYMBOLS = re.compile(r"(?:icon|token|caller|badge|kept_fresh|gauge)\(")
"""Calls that show a symbol, or parts that are units of their own: at the edge of a unit they are left out of it."""


@dataclass
class Run:
    """Text between two boundaries: signs of the source, and the item that each stands for."""

    source: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)

    def add(self, source: str, item: Item) -> None:
        """Append a sign with its item."""
        self.source.append(source)
        self.items.append(item)

    def cut(self, first: int, last: int) -> "Run":
        """The part between two positions."""
        return Run(self.source[first:last], self.items[first:last])


def read_by_people(items: list[Item]) -> list[Item]:
    """The items without keys and code, which have no language, and without attributes that a macro or a block puts into a tag."""
    if any(isinstance(item, Words) and '="' in item.text for item in items):
        return []
    read: list[Item] = []
    machine = ""
    for item in items:
        match item:
            case Tag(mark, source) if not machine and source.startswith(tuple(f"<{name}" for name in LITERAL)):
                machine = mark
            case Tag(mark) if machine and mark == machine.replace("<", "</"):
                machine = ""
            case Words(text) if re.match(r"[/&?][\w/=?&]+$", text.strip()):
                pass
            case _ if not machine:
                read.append(item)
    return read


def space_at(text: str, where: str) -> str:
    """The part of a text that fits a pattern; empty where none does."""
    found = re.search(where, text)
    return found[0] if found else ""


def core_of(run: Run) -> tuple[int, int, bool]:
    """Bounds of a run without spaces, symbols and the tags around the whole; True for what only machines read."""
    first, last, typed = 0, len(run.items), False
    while first < last:
        if _edge(run.items[first]):
            first += 1
        elif _edge(run.items[last - 1]):
            last -= 1
        elif (name := _wraps(run.items[first:last])) is not None:
            first, last, typed = first + 1, last - 1, typed or name in LITERAL
        else:
            break
    return first, last, typed


def _edge(item: Item) -> bool:
    """True for what says nothing at the edge of a unit: spaces, a symbol, a separator."""
    match item:
        case Words(text):
            return not text.strip()
        case Value(code):
            inner = code[2:-2].strip("-+ \n")
            return bool(SYMBOLS.match(inner)) or (inner.startswith(('"', "'")) and not has_words(parts_of(inner)))
        case _:
            return False


def _wraps(items: list[Item]) -> str | None:
    """Name of the tag that opens at the beginning and closes at the end; None where there is none."""
    if len(items) < 2 or not isinstance(items[0], Tag) or items[0].mark.startswith("/"):
        return None
    depth = 0
    for at, item in enumerate(items):
        if isinstance(item, Tag):
            depth += -1 if item.mark.startswith("/") else 1
            if not depth:
                return items[0].mark if at == len(items) - 1 else None
    return None


def items_of(run: Run) -> list[Item]:
    """The run with its expressions in parts and its tags numbered."""
    items: list[Item] = []
    open_numbers: list[int] = []
    count = 0
    for source, item in zip(run.source, run.items, strict=True):
        match item:
            case Tag(mark) if mark.startswith("/"):
                items.append(Tag(f"</{open_numbers.pop()}>", source))
            case Tag():
                count += 1
                open_numbers.append(count)
                items.append(Tag(f"<{count}>", source))
            case Value(code):
                inner = code[2:-2].strip("-+")
                parts = parts_of(inner)
                items.extend(parts if has_words(parts) else [Value(inner.strip(), source)])
            case _:
                items.append(item)
    return items
