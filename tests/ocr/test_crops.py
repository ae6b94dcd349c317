"""Lines in batches for the recogniser."""

import numpy as np

from tasks.ocr.ppocr.crops import HEIGHT, WIDEST, WIDTHS, batches, cut


def line(width: int) -> np.ndarray:
    """A picture of a line, cut from a page `width` pixels wide."""
    page = np.full((HEIGHT, width), 255, np.uint8)
    return cut(page, np.array([width / 2, HEIGHT / 2, width, HEIGHT, 0.0]))


def test_lines_of_a_thousand_widths_come_in_few_shapes() -> None:
    """The runtime keeps memory for each shape, and takes time to prepare for each that it has not kept."""
    shapes = set()
    for seed in range(60):
        widths = np.random.default_rng(seed).integers(8, WIDEST, size=1 + seed)
        shapes |= {pictures.shape for _, pictures in batches([line(int(width)) for width in widths])}
    assert len(shapes) <= 2 * len(WIDTHS)


def test_each_line_is_in_one_batch_unchanged() -> None:
    crops = [line(width) for width in (8, 90, 91, 600, 601, 602, 1500, 3100)]
    for number, crop in enumerate(crops):
        crop[:] = number
    seen = []
    for members, pictures in batches(crops):
        for row, member in enumerate(members):
            assert (pictures[row, 0, :, : crops[member].shape[1]] == crops[member]).all()
        seen += members
    assert sorted(seen) == list(range(len(crops)))


def test_a_line_keeps_its_width() -> None:
    """Squeezed lines lose double letters of narrow type."""
    assert [line(width).shape[1] for width in (8, 333, 1500, WIDEST)] == [8, 333, 1500, WIDEST]
