"""Pictures of single lines of a page, upright, as an engine is trained on. Runs in a child."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from tasks.ocr.document import is_pdf, load_page, open_pdf
from tasks.ocr.render import render_image_frame, render_part
from tasks.ocr.words import Box

DPI = 300
"""As the engines read."""

MARGIN = 2.0
"""Points around a line: letters reach out of their boxes."""


def line_crops(path: Path, index: int, size: tuple[float, float], boxes: Sequence[Box], turned: int) -> list[bytes]:
    """PNG of each of `boxes` (points) of page `index` (from 0), whose `size` in points is given, turned by `turned` degrees
    clockwise. Raises Permanent."""
    import numpy
    from PIL import Image

    if is_pdf(path):
        with open_pdf(path) as pdf:
            page = load_page(pdf, index)
            picture = render_part(page, DPI / 72 * size[0] / max(1e-3, page.get_size()[0])).picture
    else:
        picture = render_image_frame(path, index)[0]
    height, width = picture.shape
    x, y = width / size[0], height / size[1]
    made = []
    for x0, y0, x1, y1 in boxes:
        left, top = max(0, int((x0 - MARGIN) * x)), max(0, int((y0 - MARGIN) * y))
        right, bottom = min(width, int((x1 + MARGIN) * x) + 1), min(height, int((y1 + MARGIN) * y) + 1)
        crop = numpy.rot90(picture[top : max(bottom, top + 1), left : max(right, left + 1)], -turned // 90)
        file = BytesIO()
        Image.fromarray(numpy.ascontiguousarray(crop)).save(file, "PNG")
        made.append(file.getvalue())
    return made
