"""Changes of a page's words, as they are checked before anything is written."""

import pytest

from service.documents.corrections.editing import WordChange, edits_of, with_edits
from tasks.ocr.corrections import Edit, PageCorrection, corrected, doubtful_words
from tasks.sdk.errors import Refused
from tests.documents.corrections.made_reading import read_page

BAD = "The correction holds the character U+{}, which no page can show."
LONG = "The correction has 2,001 characters; at most 2,000 are kept."
BOTH = "Either a text is sent or the word is removed, not both."
LINES = ("the harbuor ledger", "of nineteen hundred")


@pytest.mark.parametrize(
    ("changes", "status_code", "field", "sentence"),
    [
        ([WordChange(order=1, text="a\x07b")], 400, "words[0].text", BAD.format("0007")),
        ([WordChange(order=1, text="a\u202eb")], 400, "words[0].text", BAD.format("202E")),
        ([WordChange(order=1, text="x" * 201)], 400, "words[0].text", "The correction has 201 characters; at most 200 are kept."),
        ([WordChange(line=0, text="x" * 2001)], 400, "words[0].text", LONG),
        ([WordChange(order=99, text="x")], 404, "words[0]", "Page 1 has no word 99."),
        ([WordChange(line=9, text="x")], 404, "words[0]", "Page 1 has no line 9."),
        ([WordChange(text="x")], 400, "words[0]", "A change names either a word by `order` or a line by `line`."),
        ([WordChange(order=1, text="a"), WordChange(line=0, text="b")], 400, "words[1]", "Two changes name the same word."),
        ([WordChange(order=1, text="a", remove=True)], 400, "words[0].remove", BOTH),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(changes: list[WordChange], status_code: int, field: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        edits_of(read_page(*LINES), changes)
    assert (refused.value.status_code, refused.value.field, str(refused.value)) == (status_code, field, sentence)


def test_the_words_of_persian_keep_their_joiners_and_accents_their_one_form() -> None:
    (edit,) = edits_of(read_page(*LINES), [WordChange(order=1, text=" نمي\u200cشود ")])
    assert edit.after == "نمي\u200cشود"
    (edit,) = edits_of(read_page(*LINES), [WordChange(order=1, text="cafe\u0301")])
    assert edit.after == "caf\u00e9"


def test_words_of_a_line_that_stay_are_not_confirmed_by_it() -> None:
    page = read_page(*LINES, doubtful="the harbuor")
    edits = edits_of(page, [WordChange(line=0, text="the harbour ledger")])
    assert [(edit.before, edit.after) for edit in edits] == [("harbuor", "harbour")]
    assert [word.text for word in doubtful_words(corrected(page, PageCorrection(edits)))] == ["the"]


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        ("the har bour ledger", "harbuor", "har bour"),
        ("the harbuor ledger of", "ledger", "ledger of"),
        ("see the harbuor ledger", "the", "see the"),
        ("the ledger", "harbuor", ""),
        ("the the harbuor ledger", "the", "the the"),
    ],
)
def test_of_a_line_that_gains_or_loses_words_the_others_stay(line: str, before: str, after: str) -> None:
    page = read_page(*LINES)
    edits = edits_of(page, [WordChange(line=0, text=line)])
    assert [(edit.before, edit.after) for edit in edits] == [(before, after)]
    assert corrected(page, PageCorrection(edits)).text.split("\n")[0] == line


def test_a_word_that_is_corrected_twice_keeps_what_the_engine_had_read() -> None:
    page = read_page(*LINES, doubtful="harbuor")
    first = with_edits(PageCorrection(), edits_of(page, [WordChange(order=1, text="harbor")]))
    second = with_edits(first, edits_of(corrected(page, first), [WordChange(order=1, text="harbour")]))
    assert second.edits == [Edit(page.words[1].box, "harbuor", "harbour", 0.4)]


@pytest.mark.parametrize(("rotation", "first"), [(0, (72, 100, 132, 114)), (180, (82, 100, 142, 114))])
def test_a_word_that_becomes_two_is_divided_along_the_line(rotation: int, first: tuple[int, ...]) -> None:
    page = read_page("harbourledger")
    page.rotation = rotation
    edits = edits_of(page, [WordChange(order=0, text="harbou r")])
    assert [round(edge) for edge in corrected(page, PageCorrection(edits)).words[0].box] == pytest.approx(first, abs=8)


def test_boxes_that_moved_by_a_hair_still_match_and_those_of_another_line_do_not() -> None:
    page = read_page(*LINES, doubtful="harbuor")
    edits = edits_of(page, [WordChange(order=1, text="harbour")])
    moved = read_page(*LINES, doubtful="harbuor")
    for word in moved.words:
        word.box = (word.box[0] + 6, word.box[1] - 2, word.box[2] + 5, word.box[3] - 2)
    assert corrected(moved, PageCorrection(edits)).text.startswith("the harbour ledger")
    for word in moved.words:
        word.box = (word.box[0], word.box[1] + 15, word.box[2], word.box[3] + 15)
    left = corrected(moved, PageCorrection(edits))
    assert left.text.startswith("the harbuor ledger") and left.doubtful
