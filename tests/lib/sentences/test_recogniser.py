"""English sentences that were made are recognised, and shown in another language with their values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.lib.languages import in_language
from service.lib.sentences.recogniser import CHARACTERS_MAX, HOLE, Recogniser, pattern, prepare, recogniser, shown

GERMAN = recogniser("de")

PATTERNS = sorted(
    [one for patterns in GERMAN._by_word.values() for one in patterns] + [one for _, one in GERMAN._open],
    key=lambda one: one.message,
)

VALUES = st.text(alphabet="ßäöüéñ0123456789", min_size=1, max_size=12)
"""Of letters that no message has: a value that holds the text of another message can be read as that one."""

KINDS = ("_number", "_size", "_duration", "_rate")

AMOUNTS = st.integers(0, 10**9).map(lambda count: f"{count:,}")


@settings(max_examples=8, deadline=None)
@given(st.lists(VALUES, min_size=8, max_size=8), st.lists(AMOUNTS, min_size=8, max_size=8))
def test_each_sentence_that_is_made_is_recognised_with_its_values(texts: list[str], amounts: list[str]) -> None:
    for one in PATTERNS:
        values = [
            amount if name.endswith(KINDS) else text
            for name, text, amount in zip(one.names, texts, amounts, strict=False)
        ]
        made = "".join(part + value for part, value in zip(one.texts, (*values, ""), strict=True))
        found = GERMAN.find(made)
        # Of two messages with as much text the first counts: they differ in the names of their values, or a capital.
        assert found is not None and found[0].own >= one.own
        assert found[0].texts != one.texts or list(found[1].values()) == values


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_other_text_comes_back_or_is_a_text(text: str) -> None:
    with in_language("de"):
        assert isinstance(shown(text), str)
    assert shown(text) == text


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Processing page 3 of 500 (1%)", "Seite 3 von 500 wird verarbeitet (1 %)"),
        ("There is no job pdf-ocr-1.", "Es gibt keinen Job pdf-ocr-1."),
        ("There is no job There is no job x.", "Es gibt keinen Job There is no job x."),
        ("Trying again in 1,200 s: timed out after 5 s", "Neuer Versuch in 1.200 s: Zeitüberschreitung nach 5 s"),
        ("There is room: 1.200 jobs", "There is room: 1.200 jobs"),
        ("1,200 jobs", "1.200 Jobs"),
        ("1.200 jobs", "1.200 Jobs"),
        ("All 1.200 are taken; the work that waits takes 12.5 s.", "Alle 1.200 sind belegt; die wartende Arbeit dauert 12,5 s."),
        ("its disk is full", "seine Festplatte ist voll"),
        ("Its disk is full.", "Seine Festplatte ist voll."),
        (
            "A part of the service is away for the moment; try again. Job queued.",
            "Ein Teil des Dienstes ist zurzeit nicht erreichbar; versuchen Sie es erneut. Job eingereiht.",
        ),
        ("limit: The body must be a JSON object.", "limit: Der Body muss ein JSON-Objekt sein."),
        ("A package of another maker did this.", "A package of another maker did this."),
        ("Job queued. A package of another maker did this.", "Job queued. A package of another maker did this."),
        ("Ada paused pdf until it is resumed: Job queued.", "Ada hat pdf angehalten, bis sie fortgesetzt wird: Job queued."),
    ],
)  # fmt: skip
def test_a_sentence_in_german(english: str, german: str) -> None:
    with in_language("de"):
        assert shown(english) == german
    assert shown(english) == english


def test_the_most_literal_message_counts() -> None:
    one = Recogniser(
        "de", {"There is no {what} {name}.": "allgemein {what} {name}", "There is no page {page}.": "Seite {page}"}
    )
    assert one.translated("There is no page 7.") == "Seite 7."
    assert one.translated("There is no door 7.") == "allgemein door 7."


def test_a_message_that_anything_would_fit_is_none() -> None:
    assert (
        pattern("{name}: {text}", "") is None
        and pattern("a {b}", "") is None
        and pattern("the word {a}{b}", "") is None
    )
    assert all(HOLE.search(one.message) for one in PATTERNS)


def test_a_long_text_and_one_made_to_be_slow_come_back_quickly() -> None:
    with in_language("de"):
        for text in (
            "There is no job " + "x" * CHARACTERS_MAX,
            ", ".join([""] * 900),
            "; " * 900,
            ". A" * 600,
            "(" * 1900,
        ):
            assert shown(text) == text


def test_no_request_reads_a_catalogue_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    monkeypatch.setattr("service.lib.languages.read_po", None)
    with in_language("de"):
        assert shown(f"There is no job {'j-' * 9}.") == f"Es gibt keinen Job {'j-' * 9}."


def test_a_limit_of_a_plan_is_translated_within_its_sentence() -> None:
    with in_language("de"):
        assert shown("Your plan free allows 1 waiting job, and so many wait already; try again in 30 s.") == (
            "Ihr Tarif free erlaubt 1 wartenden Job, und so viele warten bereits; versuchen Sie es in 30 s erneut."
        )
