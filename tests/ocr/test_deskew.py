"""How a page lies is found from the picture alone, and boxes find their way back."""

import numpy as np
import pytest

from tasks.ocr.deskew import set_upright, upside_down
from tasks.ocr.synthetic.scan import Wear, pictures
from tests.ocr import documents


def scanned(wear: Wear) -> np.ndarray:
    pdf, _ = documents.text_pdf(words=250, seed=300)
    return np.asarray(pictures(pdf, 150, wear, seed=1)[0])


@pytest.mark.parametrize("skew", [-5.0, -1.3, 0.4, 2.0, 4.7])
def test_skew_is_found_to_a_tenth_of_a_degree(skew: float) -> None:
    assert set_upright(scanned(Wear(skew=skew, noise=12, quality=50))).skew == pytest.approx(skew, abs=0.1)


@pytest.mark.parametrize(("turn", "quarters"), [(0, 0), (90, 1), (180, 0), (270, 1)])
def test_a_page_on_its_side_is_stood_up(turn: int, quarters: int) -> None:
    upright = set_upright(scanned(Wear(skew=0.8, turn=turn)))
    assert upright.quarter_turns == quarters
    assert upright.skew == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("turn", [0, 90, 270])
@pytest.mark.parametrize("flipped", [False, True])
def test_boxes_find_their_way_back_to_the_page(turn: int, flipped: bool) -> None:
    picture = scanned(Wear(skew=2.0, turn=turn))
    upright = set_upright(picture)
    if flipped:
        upright = upside_down(upright)
    height, width = upright.picture.shape
    rng = np.random.default_rng(0)
    inked = [(x, y) for x, y in rng.integers(20, (width - 20, height - 20), (400, 2)) if upright.picture[y, x] < 90]
    assert inked
    for x, y in inked:
        x0, y0, x1, y1 = (round(edge) for edge in upright.on_page((x - 2, y - 2, x + 2, y + 2)))
        assert picture[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1].min() < 120


def test_empty_paper_stays_as_it_is() -> None:
    paper = np.full((400, 300), 240, np.uint8)
    upright = set_upright(paper)
    assert (upright.picture.shape, upright.quarter_turns, upright.skew) == ((400, 300), 0, 0.0)
