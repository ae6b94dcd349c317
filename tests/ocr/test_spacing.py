"""Spaces that the recogniser overlooked, found in the picture of the line."""

import itertools

import numpy as np
import pytest

from tasks.ocr.ppocr.letters import spell
from tasks.ocr.ppocr.spacing import STEP, lost_spaces

WITHIN, SPACE = 4, 14
"""Columns without ink between letters and between words."""


def line(text: str, read: str, space: int = SPACE) -> tuple[list[tuple[str, int]], np.ndarray]:
    """The letters of `read`, which lacks some of the spaces of `text`, with their steps; and a picture of `text`."""
    inked: list[int] = []
    middles: list[int] = []
    for letter in text:
        if letter == " ":
            inked[len(inked) - WITHIN :] = [0] * space
            continue
        middles.append(len(inked) + 6)
        inked += [1] * 12 + [0] * WITHIN
    picture = np.where(np.array(inked)[None, :], 20, 235).repeat(48, 0).astype(np.uint8)
    letters, place = [], 0
    for letter in read:
        step = middles[place] // STEP if letter != " " else middles[place - 1] // STEP + 1
        letters.append((letter, step))
        place += letter != " "
    return letters, picture


def words(letters: list[tuple[str, int]], picture: np.ndarray) -> str:
    parted = set(lost_spaces(letters, picture))
    return "".join((" " if index in parted else "") + letter for index, (letter, _) in enumerate(letters))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("On 21 March 1876 he came", "On 21 March1876 he came"),
        ("we measured 357 of them", "we measured357of them"),
        ("near the signal. Was it", "near the signal.Was it"),
    ],
)
def test_an_overlooked_space_is_found(text: str, read: str) -> None:
    assert words(*line(text, read)) == text


@pytest.mark.parametrize(
    "text", ["an A4 sheet and 3rd class", "the J.Xavier of 2.5 km and 16GB", "of 1,250.00 EUR or so"]
)
def test_letters_that_stand_together_stay_together(text: str) -> None:
    assert words(*line(text, text)) == text


def test_letters_of_one_kind_are_never_parted() -> None:
    """Thin letters stand as far apart as words do."""
    assert words(*line("he will fill in the i l l", "he will fill in the ill")) == "he will fill in the ill"


def test_a_typewriter_sets_letters_as_far_apart_as_words() -> None:
    read = "No 7a of the 12th"
    assert words(*line("No 7 a of the 12 th", read, space=WITHIN + 1)) == read


def test_a_line_of_one_word_says_nothing_of_its_spaces() -> None:
    assert words(*line("INVOICE 2024", "INVOICE2024")) == "INVOICE2024"


def test_a_line_without_ink_is_left_alone() -> None:
    letters, picture = line("a b c", "a b c")
    assert list(lost_spaces(letters, np.full_like(picture, 255))) == []
    assert list(lost_spaces([], picture)) == []


def test_both_words_have_their_own_places() -> None:
    letters, picture = line("of 21 March 1876 he came", "of 21 March1876 he came")
    alphabet = ("", *sorted({letter for letter, _ in letters}))
    classes = np.zeros(-(-picture.shape[1] // STEP), np.int64)
    for letter, step in letters:
        classes[step] = alphabet.index(letter)
    found = spell(classes, np.ones(len(classes)), alphabet, 1.0, picture)
    assert [word.text for word in found] == ["of", "21", "March", "1876", "he", "came"]
    assert all(one.end <= next.start for one, next in itertools.pairwise(found))
