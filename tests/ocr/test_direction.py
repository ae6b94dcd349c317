"""Which way up a page lies is found by reading, whatever else stands on it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.ocr.direction import direction
from tasks.ocr.ink import Ink
from tasks.ocr.paper import cleaned
from tasks.ocr.ppocr.networks import networks
from tasks.ocr.skew import refined
from tasks.ocr.synthetic.scan import Wear, pictures
from tests.ocr import documents, drawings


def lies(picture: np.ndarray) -> tuple[int, float]:
    """Quarter turns and skew, as a page is read."""
    page = cleaned(picture).picture
    found = direction(networks(), page)
    return found.quarter_turns, refined(np.rot90(Ink(page).mask, -found.quarter_turns), found.skew)


def scanned(wear: Wear) -> np.ndarray:
    pdf, _ = documents.text_pdf(words=250, seed=300)
    return np.asarray(pictures(pdf, 150, wear, seed=1)[0])


@pytest.mark.parametrize("skew", [-15.0, -8.0, -1.3, 0.4, 4.7, 12.0])
def test_skew_is_found_to_a_tenth_of_a_degree(skew: float) -> None:
    assert lies(scanned(Wear(skew=skew, noise=12, quality=50))) == (0, pytest.approx(skew, abs=0.1))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_turn_of_a_page_is_found(turn: int) -> None:
    assert lies(scanned(Wear(skew=0.8, turn=turn))) == ((360 - turn) % 360 // 90, pytest.approx(0.8, abs=0.1))


@pytest.mark.parametrize("drawn", drawings.ALL, ids=lambda drawn: drawn.__name__)
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_columns_rules_bars_and_dark_edges_do_not_turn_a_page(drawn: drawings.Drawing, turn: int) -> None:
    picture, _ = drawn()
    assert lies(np.asarray(picture.rotate(turn, expand=True)))[0] * 90 == turn


def test_a_page_without_lines_stays_as_it_is() -> None:
    dots = Image.new("L", (800, 1100), 255)
    ImageDraw.Draw(dots).text((380, 500), "7", font=ImageFont.load_default(40), fill=0)
    assert lies(np.asarray(dots)) == (0, pytest.approx(0.0, abs=0.1))


@pytest.mark.parametrize(("skew", "slanted"), [(45.0, True), (8.0, False)])
def test_lines_halfway_between_two_directions_are_known_as_such(skew: float, slanted: bool) -> None:
    """Each box may be taken for a line of either direction, so their words cannot be put in order."""
    assert direction(networks(), cleaned(scanned(Wear(skew=skew))).picture).slanted is slanted
