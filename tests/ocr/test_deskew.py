"""A page is turned, levelled and cut to its ink, and boxes find their way back."""

import numpy as np
import pytest

from tasks.ocr.deskew import set_upright
from tasks.ocr.ink import Ink
from tasks.ocr.synthetic.scan import Wear, pictures
from tests.ocr import documents


def scanned(wear: Wear) -> np.ndarray:
    pdf, _ = documents.text_pdf(words=250, seed=300)
    return np.asarray(pictures(pdf, 150, wear, seed=1)[0])


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("skew", [0.0, 2.0, -14.0])
def test_boxes_find_their_way_back_to_the_page(turn: int, skew: float) -> None:
    picture = scanned(Wear(skew=skew, turn=turn))
    upright = set_upright(picture, (360 - turn) % 360 // 90, skew, Ink(picture).box())
    height, width = upright.picture.shape
    rng = np.random.default_rng(0)
    inked = [(x, y) for x, y in rng.integers(20, (width - 20, height - 20), (400, 2)) if upright.picture[y, x] < 90]
    assert inked
    for x, y in inked:
        x0, y0, x1, y1 = (round(edge) for edge in upright.on_page((x - 2, y - 2, x + 2, y + 2)))
        assert picture[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1].min() < 120


def test_a_line_of_the_page_is_where_it_is_in_the_upright_picture() -> None:
    """To the page and back; width and height change places on a page that lay on its side."""
    picture = scanned(Wear(turn=90))
    upright = set_upright(picture, 3, 5.0, Ink(picture).box())
    (moved,) = upright.from_page(np.array([[300.0, 500.0, 20.0, 400.0, 5.0]], np.float32))
    assert moved[2:].tolist() == pytest.approx([400.0, 20.0, 0.0])
    x0, y0, x1, y1 = upright.on_page((moved[0], moved[1], moved[0], moved[1]))
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((300, 500), abs=0.5)


def test_empty_paper_stays_as_it_is() -> None:
    paper = np.full((400, 300), 240, np.uint8)
    upright = set_upright(paper, 0, 0.0, Ink(paper).box())
    assert (upright.picture.shape, upright.quarter_turns, upright.skew) == ((400, 300), 0, 0.0)
