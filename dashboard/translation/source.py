"""Units of a template's source: what is shown between two block tags, and the attributes that are shown or read aloud."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dashboard.translation.expressions import Value, Words, code_of, literal, marks, parts_of
from dashboard.translation.messages import Item, Message, Tag, has_words, message_of
from dashboard.translation.runs import Run, core_of, items_of, read_by_people, space_at

JINJA = re.compile(
    r"""\{\#.*?\#\}|\{\{(?:[^"'}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\}(?!\}))*\}\}"""
    r"""|\{%(?:[^"'%]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|%(?!\}))*%\}""",
    re.DOTALL,
)
FIRST = 0xF0000
"""Characters of a private plane stand for Jinja's pieces while the HTML around them is read."""
PIECE = "[\U000f0000-\U000ffffd]"
HTML = re.compile(
    r"(?P<raw><!--.*?-->|<![^>]*>|<(?P<kind>script|style)\b[^>]*>.*?</(?P=kind)>)"
    r"""|(?P<tag><(?P<close>/?)(?P<name>[a-zA-Z][\w-]*)(?:"[^"]*"|'[^']*'|[^'">])*>)"""
    rf"|(?P<piece>{PIECE})|(?P<text>[^<\U000f0000-\U000ffffd]+|<)",
    re.DOTALL,
)
INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "cite", "code", "em", "i", "kbd", "mark", "q", "s", "samp", "small", "span", "strong"}
    | {"sub", "sup", "time", "u", "var", "output"}
)
SHOWN = re.compile(
    r"""(\s(?:title|aria-label|aria-description|placeholder|alt|label|data-(?:label|confirm|words-[\w-]+))=)("[^"]*"|'[^']*')"""
)
Translate = Callable[[Message], list[Item]]


@dataclass(frozen=True)
class Unit:
    """A message and the line of the template where it begins."""

    message: Message
    line: int


@dataclass
class Template:
    """A template's source in pieces."""

    source: str
    finish: Callable[[str], str]
    """Ends the work on a piece that stays one."""
    pieces: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        def keep(found: re.Match[str]) -> str:
            self.pieces.append(found[0])
            return chr(FIRST + len(self.pieces) - 1)

        self.flat = JINJA.sub(keep, self.source)
        self.finished = [self.finish(piece) for piece in self.pieces]

    def piece(self, sign: str) -> str:
        return self.pieces[ord(sign) - FIRST]

    def restored(self, flat: str) -> str:
        return re.sub(PIECE, lambda found: self.finished[ord(found[0]) - FIRST], flat)


def translated(source: str, translate: Translate) -> str:
    """The template with each unit's text replaced by what `translate` returns for its message."""
    template = Template(source, lambda piece: _with_marks(piece, translate))
    return "".join(shown for _, shown in _runs(template, template.flat, translate))


def unmarked(source: str) -> str:
    """The template as it is written, without the marks of words in expressions."""
    template = Template(source, _without_marks)
    return template.restored(template.flat)


def units(source: str) -> Iterator[Unit]:
    """Units of a template: first those within its expressions, then those of its text."""
    found: list[Message] = []

    def keep(message: Message) -> list[Item]:
        found.append(message)
        return []

    at = 0
    for piece in Template(source, str).pieces:
        at = source.index(piece, at)
        _with_marks(piece, keep)
        yield from (Unit(message, source.count("\n", 0, at) + 1) for message in found)
        found.clear()
    template = Template(source, str)
    for at, _ in _runs(template, template.flat, keep):
        line = template.restored(template.flat[:at]).count("\n") + 1
        yield from (Unit(message, line) for message in found)
        found.clear()


def _without_marks(piece: str) -> str:
    for first, _ in sorted(marks(piece), reverse=True):
        piece = piece[:first] + piece[first + 1 :]
    return piece


def _with_marks(piece: str, translate: Translate) -> str:
    """The piece with what stands in `_( )` translated; the mark itself is gone."""
    if piece.startswith("{#"):
        return piece
    outer: list[tuple[int, int]] = []
    for first, last in sorted(marks(piece)):
        if not outer or first >= outer[-1][1]:
            outer.append((first, last))
    for first, last in reversed(outer):
        parts = parts_of(piece[first + 2 : last - 1])
        if has_words(parts):
            spaces = space_at(_edge_text(parts[0]), r"^\s*"), space_at(_edge_text(parts[-1]), r"\s*$")
            inner = (item for item in translate(message_of(list(parts))) if not isinstance(item, Tag))
            parts = tuple(part for part in (Words(spaces[0]), *inner, Words(spaces[1])) if part != Words(""))
        piece = f"{piece[:first]}({code_of(parts)}){piece[last:]}"
    return piece


def _runs(template: Template, flat: str, translate: Translate) -> Iterator[tuple[int, str]]:
    """Positions and texts of runs and of what bounds them."""
    run, began = Run(), 0
    for found in HTML.finditer(flat):
        if not run.items:
            began = found.start()
        source = found[0]
        if found["text"]:
            run.add(source, Words(source))
        elif found["piece"] and template.piece(source).startswith("{{"):
            run.add(source, Value(template.piece(source)))
        elif found["tag"] and found["name"].lower() in INLINE:
            run.add(_tag(template, source, translate), Tag(found["close"] + found["name"].lower(), source))
        else:
            yield began, _shown(template, run, translate)
            run = Run()
            if found["tag"]:
                source = _tag(template, source, translate)
            yield found.start(), template.restored(source)
    yield began, _shown(template, run, translate)


def _tag(template: Template, tag: str, translate: Translate) -> str:
    """A tag with its attributes translated."""

    def attribute(found: re.Match[str]) -> str:
        quote = found[2][0]
        return f"{found[1]}{quote}{''.join(shown for _, shown in _runs(template, found[2][1:-1], translate))}{quote}"

    return SHOWN.sub(attribute, tag)


def _shown(template: Template, run: Run, translate: Translate) -> str:
    """A run with its units translated. Tags whose other half is not in the run bound a unit."""
    halves, open_tags = set[int](), list[int]()
    for at, item in enumerate(run.items):
        if not isinstance(item, Tag):
            continue
        if not item.mark.startswith("/"):
            open_tags.append(at)
        elif open_tags and run.items[open_tags[-1]].mark == item.mark[1:]:  # type: ignore[union-attr]  # they are tags
            halves.update((open_tags.pop(), at))
    shown, first = "", 0
    for at in (
        *(at for at, item in enumerate(run.items) if isinstance(item, Tag) and at not in halves),
        len(run.items),
    ):
        shown += _unit(template, run.cut(first, at), translate)
        if at < len(run.items):
            shown += template.restored(run.source[at])
        first = at + 1
    return shown


def _unit(template: Template, run: Run, translate: Translate) -> str:
    first, last, typed = core_of(run)
    core = run.cut(first, last)
    items = items_of(core)
    if typed or not has_words(read_by_people(items)):
        return template.restored("".join(run.source))
    before = "".join(run.source[:first]) + space_at(core.source[0], r"^\s*")
    after = space_at(core.source[-1], r"\s*$") + "".join(run.source[last:])
    text = "".join(_rendered(template, item) for item in translate(message_of(items)))
    return template.restored(before) + template.restored(text) + template.restored(after)


def _edge_text(part: Item) -> str:
    return part.text if isinstance(part, Words) else ""


def _rendered(template: Template, item: Item) -> str:
    match item:
        case Words(text):
            # A literal may show what is otherwise Jinja's own.
            return re.sub(r"\{[{%#]", lambda found: f"{{{{ {literal(found[0])} }}}}", text)
        case Tag(_, source):
            return source
        case Value(_, source) if source:
            return source
        case _:
            # A condition may compare with a marked word.
            return template.finish(f"{{{{ {code_of((item,))} }}}}")
