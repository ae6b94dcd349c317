"""Units of templates: what a message says, and what a translation of it becomes."""

import pytest
from jinja2 import Environment

from dashboard.translation.messages import BadTranslation, Item, Message, read_translation
from dashboard.translation.source import Translate, translated, units, unmarked

CASES = [
    ("<p>Waiting since {{ job.since_ms | moment }}.</p>", ["Waiting since {since_ms}."]),
    ("<p>See the <a href='/x'>runbook</a></p>", ["See the <1>runbook</1>"]),
    ("<li>{{ icon('back') }} <a href='/'>Back</a> </li>", ["Back"]),
    ("<p>{{ n | number }} page{{ '' if n == 1 else 's' }}</p>", ["{n} page[|s]"]),
    ("<td>{{ row.email or 'no address' }}</td>", ["[{email}|no address]"]),
    ("<p>{{ 'a' if x else 'b' if y else 'c' }} and {{ 'd' if z }}</p>", ["[a|b|c] and [2:d|]"]),
    ("<p>{{ 'Up to ' ~ (n | number) ~ ' jobs' }}</p>", ["Up to {n} jobs"]),
    ("<p>One{% if x %}two{% endif %}</p>", ["One", "two"]),
    ('<a title="Copy {{ name }}" href="Not this">x</a>', ["Copy {name}", "x"]),
    ("{% call scrolling(_('All jobs')) %}{{ head([_('Name')]) }}{% endcall %}", ["All jobs", "Name"]),
    ("{{ act('/x', _('Delete ' ~ name ~ '?')) }}", ["Delete {name}?"]),
    ("<p>{a} [b]</p>", ["\\{a\\} \\[b\\]"]),
    ('<p>{% set a %}id="x-{{ n }}" required{% endset %}</p>', []),
    ("<kbd>j</kbd> <code>offload up</code><style>p { x: y }</style><script>let x = 'word';</script>", []),
    ("<td>{{ a.name }} {{ b.name }} {{ a.name }} words</td>", ["{name} {name2} {name} words"]),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_a_template_is_split_into_messages(source: str, expected: list[str]) -> None:
    assert [unit.message.text for unit in units(source)] == expected


def _texts(german: dict[str, str]) -> Translate:
    def translate(message: Message) -> list[Item]:
        return read_translation(message, german.get(message.text, message.text))

    return translate


def _rendered(source: str, german: dict[str, str], **context: object) -> str:
    return Environment(autoescape=True).from_string(translated(source, _texts(german))).render(**context)


def test_a_translation_moves_values_and_tags_and_uses_a_choice_twice() -> None:
    source = '<p class="{{ css }}">\n  {{ n }} job{{ "" if n == 1 else "s" }} of <a href="/{{ x }}">{{ who }}</a>\n</p>'
    german = {"{n} job[|s] of <1>{who}</1>": "Von <1>{who}</1> [ist|sind] {n} [Job|Jobs]"}
    for n, words in ((1, "ist 1 Job"), (2, "sind 2 Jobs")):
        shown = _rendered(source, german, n=n, css="a", x="y", who="<b>")
        assert shown == f'<p class="a">\n  Von <a href="/y">&lt;b&gt;</a> {words}\n</p>'


def test_attributes_marked_words_and_conditions_that_compare_with_them_are_translated() -> None:
    source = "{% set label = _('Cancel') %}<b title='Row {{ n }}'>{{ 'Keep' if label == _('Cancel') else label }}</b>"
    german = {"Cancel": "Abbrechen", "Row {n}": "Zeile {n}", "[Keep|{label}]": "[Behalten|{label}]", "and": "und"}
    assert _rendered(source, german, n=3) == "<b title='Zeile 3'>Behalten</b>"
    assert _rendered("<p>Write {{ '{{ name }}' }}</p>", german) == "<p>Write {{ name }}</p>"
    assert _rendered("{{ names | join(_(' and ')) }}", german, names=["a", "b"]) == "a und b"


@pytest.mark.parametrize("source", [source for source, _ in CASES])
def test_the_english_page_is_the_template_itself(source: str) -> None:
    assert unmarked(source) == source.replace("_(", "(")


@pytest.mark.parametrize(
    "source", ["<p>{{ n }} of <a>{{ m }}</a> job{{ 's' if n }}{# note #}</p>", "{% if x %}a{% endif %}"]
)
def test_a_message_that_is_not_translated_is_shown_in_english(source: str) -> None:
    values = {"n": 2, "m": 3, "x": True}
    assert _rendered(source, {}, **values) == Environment(autoescape=True).from_string(source).render(**values)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{n} Jobs", "lacks </1>, <1>"),
        ("<1>{n}</1> {m}", "has {m}, which the message lacks"),
        ("<1>{n}</1> [a|b", "is not closed"),
        ("<1>{n}</1> [a]", "has 1 texts, and needs 2"),
        ("<1>{n}</1> [2:a|b]", "has a choice 2"),
        ("<1>{n}</1> ]", "stands outside of a choice"),
    ],
)
def test_a_translation_that_does_not_fit_is_refused_in_words(text: str, fault: str) -> None:
    message = next(iter(units("<p><b>{{ n }}</b> job{{ '' if n == 1 else 's' }}</p>"))).message
    with pytest.raises(BadTranslation, match=fault.replace("{", "\\{").replace("]", "\\]")):
        read_translation(message, text)
