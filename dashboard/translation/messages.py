"""Messages: how a unit of a template is written in the catalogue, and how a translation is read.

`{since}` stands for a value, `<1>…</1>` for an inline tag, `[page|pages]` for texts of which one is shown. A second choice
of a unit is `[2:…|…]`. A translation may move them, and may use a choice again where its grammar asks for it.
"""

import re
from dataclasses import dataclass, field

from dashboard.translation.expressions import Choice, Part, Parts, Value, Words, name_of

SPECIAL = re.compile(r"[\\{}\[\]|]")
LETTER = re.compile(r"[^\W\d_]")


class BadTranslation(ValueError):
    """A translation does not fit its message."""


@dataclass(frozen=True)
class Tag:
    """An inline tag as it stands in the template; `mark` is `<1>`, `</1>` or `<1/>`."""

    mark: str
    source: str


Item = Part | Tag


@dataclass
class Message:
    """A unit's text for the catalogue, and what its marks stand for."""

    text: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    choices: list[tuple[str, ...]] = field(default_factory=list)
    tags: dict[str, Tag] = field(default_factory=dict)

    def marks(self) -> set[str]:
        """Marks that each translation must have: values and tags."""
        return {f"{{{name}}}" for name in self.values} | set(self.tags)


def message_of(items: list[Item]) -> Message:
    """The message of a unit."""
    message = Message()
    text = "".join(_written(message, item) for item in items)
    message.text = re.sub(r"\s+", " ", text).strip()
    return message


def has_words(items: list[Item] | Parts) -> bool:
    """True where a letter is shown that comes from the template."""
    return any(_has_words(item) for item in items)


def _has_words(item: Item) -> bool:
    match item:
        case Words(text):
            return bool(LETTER.search(re.sub(r"&\w+;", "", text)))
        case Choice(_, branches):
            return any(has_words(branch) for branch in branches)
        case _:
            return False


def _written(message: Message, item: Item) -> str:
    match item:
        case Words(text):
            return SPECIAL.sub(r"\\\g<0>", text)
        case Tag(mark):
            message.tags[mark] = item
            return mark
        case Choice(conditions, branches) if _has_words(item):
            if conditions not in message.choices:
                message.choices.append(conditions)
            number = message.choices.index(conditions) + 1
            texts = "|".join("".join(_written(message, part) for part in branch) for branch in branches)
            return f"[{texts}]" if number == 1 else f"[{number}:{texts}]"
        case Choice(conditions):
            return _placed(message, name_of(conditions[0]), item)
        case Value(code):
            return _placed(message, name_of(code), item)


def _placed(message: Message, name: str, item: Part) -> str:
    known = message.values
    names = (name, *(f"{name}{number}" for number in range(2, 100)))
    chosen = next(one for one in names if known.get(one, item) == item)
    known[chosen] = item  # type: ignore[assignment]  # a choice without words is placed like a value
    return f"{{{chosen}}}"


TRANSLATED = re.compile(r"\\(.)|\{(\w+)\}|(</?\d+/?>)|\[(?:(\d+):)?|([\]|])|([^\\{}\[\]|<]+|<)", re.DOTALL)


def read_translation(message: Message, text: str) -> list[Item]:
    """Parts of a translation; raises BadTranslation for marks that the message lacks, or that the translation lacks."""
    items, end = _read(message, text, 0, nested=False)
    if end != len(text):
        raise BadTranslation(f"{text!r}: a bracket is closed that was not opened.")
    used = _used(items)
    if missing := message.marks() - used:
        raise BadTranslation(f"{text!r} lacks {', '.join(sorted(missing))}.")
    return items


def _used(items: list[Item] | Parts) -> set[str]:
    used: set[str] = set()
    for item in items:
        match item:
            case _Placed():
                used.add(f"{{{item.name}}}")
            case Tag(mark):
                used.add(mark)
            case Choice(_, branches):
                used.update(*(_used(branch) for branch in branches))
    return used


@dataclass(frozen=True)
class _Placed(Value):
    name: str = ""


def _read(message: Message, text: str, at: int, *, nested: bool) -> tuple[list[Item], int]:
    items: list[Item] = []
    while at < len(text):
        found = TRANSLATED.match(text, at)
        if found is None:
            raise BadTranslation(f"{text!r} has a mark that cannot be read at {text[at : at + 10]!r}.")
        escaped, name, tag, number, bracket, plain = found.groups()
        if bracket:
            if not nested:
                raise BadTranslation(
                    f"{text!r}: {bracket} stands outside of a choice; write \\{bracket} for the character."
                )
            return items, at
        at = found.end()
        if escaped or plain:
            _add_words(items, escaped or plain)
        elif name:
            items.append(_value(message, text, name))
        elif tag:
            if tag not in message.tags:
                raise BadTranslation(f"{text!r} has {tag}, which the message lacks.")
            items.append(message.tags[tag])
        else:
            choice, at = _read_choice(message, text, at, int(number or 1))
            items.append(choice)
    if nested:
        raise BadTranslation(f"{text!r}: a choice is not closed.")
    return items, at


def _add_words(items: list[Item], text: str) -> None:
    """One text of what stands together, however it was written."""
    match items[-1:]:
        case [Words(before)]:
            items[-1] = Words(before + text)
        case _:
            items.append(Words(text))


def _value(message: Message, text: str, name: str) -> Part:
    if name not in message.values:
        raise BadTranslation(f"{text!r} has {{{name}}}, which the message lacks.")
    placed = message.values[name]
    return (
        _Placed(placed.code, placed.source, name)
        if isinstance(placed, Value)
        else Choice(placed.conditions, placed.branches)
    )


def _read_choice(message: Message, text: str, at: int, number: int) -> tuple[Choice, int]:
    if not 1 <= number <= len(message.choices):
        raise BadTranslation(f"{text!r} has a choice {number}, which the message lacks.")
    conditions, branches = message.choices[number - 1], []
    while True:
        branch, at = _read(message, text, at, nested=True)
        branches.append(tuple(branch))
        at += 1
        if text[at - 1] == "]":
            break
    if len(branches) != len(conditions) + 1:
        raise BadTranslation(f"{text!r}: choice {number} has {len(branches)} texts, and needs {len(conditions) + 1}.")
    return Choice(conditions, tuple(branches)), at  # type: ignore[arg-type]  # a tag within a choice is refused by rendering
