"""Reading order of words laid out by the tests, 10 points high."""

from tasks.ocr.reading_order import reading_order
from tasks.ocr.text import assemble
from tasks.ocr.words import Word


def line(text: str, x: float, y: float, width: float = 0.0) -> list[Word]:
    """Words 5 points a letter, or spread evenly over `width`."""
    words: list[Word] = []
    space = 3.0
    parts = text.split()
    if width:
        space = (width - 5.0 * sum(map(len, parts))) / max(1, len(parts) - 1)
    for part in parts:
        words.append(Word(part, (x, y, x + 5 * len(part), y + 10), 1.0, "ocr"))
        x += 5 * len(part) + space
    return words


def test_lines_go_from_top_to_bottom_and_left_to_right() -> None:
    words = line("third line here", 50, 30) + line("first line here", 50, 0) + line("second line here", 50, 15)
    assert assemble(reading_order(words[::-1])) == "first line here\nsecond line here\nthird line here"


def test_a_wide_gap_between_lines_begins_a_block() -> None:
    words = line("one two", 50, 0) + line("three four", 50, 12) + line("five six", 50, 50)
    assert assemble(reading_order(words)) == "one two\nthree four\n\nfive six"


def column(name: str, x: float, rows: range, width: float) -> list[Word]:
    """Lines of 32 letters in five words, so that their spaces are those of justified text."""
    return [word for row in rows for word in line(f"{name}{row} column words standing quietly", x, row * 14, width)]


def test_columns_are_read_one_after_the_other() -> None:
    words = column("left", 50, range(6), 180) + column("right", 250, range(6), 180)
    lines = assemble(reading_order(words)).split("\n")
    firsts = [text.split()[0] for text in lines if text]
    assert firsts == [f"{side}{row}" for side in ("left", "right") for row in range(6)]


def test_a_headline_over_two_columns_cuts_them_into_bands() -> None:
    words = line("a headline that runs over both of the columns", 100, 70)
    for rows in (range(4), range(7, 11)):
        words += column("left", 50, rows, 180) + column("right", 250, rows, 180)
    order = [word.text for word in reading_order(words) if word.text[-1].isdigit() or word.text == "headline"]
    before = [f"{side}{row}" for side in ("left", "right") for row in range(4)]
    after = [f"{side}{row}" for side in ("left", "right") for row in range(7, 11)]
    assert order == [*before, "headline", *after]


def test_a_table_is_read_along_its_rows() -> None:
    words = []
    for row in range(6):
        words += line(f"item{row}", 50, row * 14) + line(f"{row}.50", 300, row * 14)
    assert assemble(reading_order(words)).splitlines() == [f"item{row} {row}.50" for row in range(6)]


def test_a_line_that_runs_on_over_a_narrow_gutter_is_parted() -> None:
    words = column("left", 50, range(1, 7), 180) + column("right", 250, range(1, 7), 180)
    words += line("left0 column words standing quietly here", 50, 0) + line("right0 begins close to it", 247, 0)
    firsts = [text.split()[0] for text in assemble(reading_order(words)).split("\n") if text]
    assert firsts == [f"{side}{row}" for side in ("left", "right") for row in range(7)]


def test_nothing_is_read_in_no_order() -> None:
    assert reading_order([]) == []
