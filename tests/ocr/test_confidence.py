"""A page's confidence follows its weak words and its unread ink, and a low one has a reason."""

import pytest

from tasks.ocr.confidence import doubt, page_confidence, share_lacking, without_guesses
from tasks.ocr.words import Word


def words(*confidences: float) -> list[Word]:
    return [Word("abcdefgh", (0, 0, 10, 10), confidence, "ocr") for confidence in confidences]


def test_a_page_of_sure_words_is_sure() -> None:
    assert page_confidence(words(*[0.999] * 20), 0.05, "rapidocr") == 1.0
    assert doubt(words(*[0.999] * 20), 0.05, 0.02, "rapidocr") is None


def test_letters_in_unsure_words_lower_it_by_their_share() -> None:
    assert page_confidence(words(*[0.999] * 9, 0.95), 0.0, "rapidocr") == pytest.approx(0.9)


def test_lines_that_were_never_found_lower_it() -> None:
    """The words that were read are all sure: only the ink outside of them tells."""
    read = words(*[0.999] * 20)
    assert page_confidence(read, 0.6, "rapidocr") < 0.8
    assert "60% of what looks like text" in str(doubt(read, 0.6, 0.02, "rapidocr"))


def test_nothing_read_of_an_inked_page_is_worth_nothing() -> None:
    assert page_confidence([], 1.0, "rapidocr") == 0.0
    assert "Nothing could be read" in str(doubt([], 1.0, 0.02, "rapidocr"))


@pytest.mark.parametrize(
    ("confidences", "sentence"),
    [
        ([0.99] * 8 + [0.7] * 2, "20% of the letters stand in words that were read with little certainty."),
        ([0.99] * 7 + [0.94] * 3, "About 30% of the words may be wrong or missing."),
        ([0.99] * 3 + [0.6] * 7, "Unknown writing"),
    ],
)
def test_the_reason_is_named(confidences: list[float], sentence: str) -> None:
    assert sentence in str(doubt(words(*confidences), 0.0, 0.02, "rapidocr"))


def test_guesses_are_left_out_only_where_the_writing_is_unknown() -> None:
    assert len(without_guesses(words(0.99, 0.99, 0.3), "rapidocr")) == 3
    assert len(without_guesses(words(0.7, 0.3, 0.2), "rapidocr")) == 1


def test_letters_that_an_engine_lacks_count_as_words_read_wrongly() -> None:
    english = frozenset("abcdefghijklmnopqrstuvwxyz")
    lacking = share_lacking(["été", "dans", "la", "12,50", "forêt", "grande"], english)
    assert lacking == pytest.approx(2 / 5)
    sure = words(*[0.999] * 20)
    assert page_confidence(sure, 0.0, "easyocr", lacking) == pytest.approx(0.6)
    assert "letters that easyocr does not know" in str(doubt(sure, 0.0, 0.02, "easyocr", lacking))
    assert share_lacking(["été"], None) == 0.0


def test_lines_of_which_nothing_can_be_read_are_of_unknown_writing() -> None:
    assert "Unknown writing" in str(doubt([], 1.0, 0.02, "rapidocr", lines=12))
    assert "Nothing could be read" in str(doubt([], 1.0, 0.02, "rapidocr", lines=1))


def test_a_page_of_guesses_is_of_unknown_writing_although_none_is_low() -> None:
    """EasyOCR reads Cyrillic as Latin letters of a confidence of .7 to .95."""
    assert "Unknown writing" in str(doubt(words(*[0.8] * 20), 0.0, 0.02, "easyocr"))
