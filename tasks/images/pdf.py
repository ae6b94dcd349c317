"""A PDF's page as a picture, bounded in pixels whatever the page claims to measure."""

from pathlib import Path

from PIL import Image

from tasks.images.errors import BadPicture
from tasks.images.shrink import resized
from tasks.ocr.document import load_page, open_pdf

OVERSAMPLING = 2.0
"""PDFium shrinks pictures on a page roughly; drawn at twice the size and averaged, a scan's letters stay readable."""


def page_of(path: Path, index: int, side: int) -> Image.Image:
    """Page `index` (from 0) with its annotations, on white, its longest side `side` pixels. Raises Permanent."""
    with open_pdf(path) as pdf:
        pdf.init_forms()
        if index >= len(pdf):
            raise BadPicture(f"The PDF has no page {index + 1}.")
        page = load_page(pdf, index)
        width, height = page.get_size()
        if not (0 < width < float("inf") and 0 < height < float("inf")):
            raise BadPicture(f"The PDF's {'first page' if index == 0 else f'page {index + 1}'} has no size.")
        scale = OVERSAMPLING * side / max(width, height)
        bitmap = page.render(scale=scale, rev_byteorder=True, limit_image_cache=True)
        drawn = bitmap.to_pil().convert("RGB")
        final = side / max(width, height)
        # A bitmap still shares its memory with the page, which is closed here.
        return resized(drawn, (max(1, round(width * final)), max(1, round(height * final)))).copy()
