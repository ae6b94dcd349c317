"""All thumbnails of a document from one decode, largest first, each from the one before."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tasks.images.colour import srgb_on_white
from tasks.images.decode_limit import bounded_memory
from tasks.images.density import display_density, square_size
from tasks.images.encode import encoded
from tasks.images.errors import BadPicture
from tasks.images.exif import orientation, upright
from tasks.images.pdf import page_of
from tasks.images.shrink import DRAFT_GAP, fitted, resized, shrunk
from tasks.images.source import load, open_picture
from tasks.images.variants import Thumbnail, Variant
from tasks.ocr.document import is_pdf
from tasks.sdk.errors import Permanent, is_infrastructure_error

REASON_MAX = 500
"""Characters of a reason that are kept."""


def render_thumbnails(path: Path, wanted: Sequence[Variant]) -> list[Thumbnail]:
    """The document's thumbnails in the variants asked for. A picture is never enlarged; a page is drawn at any size.

    Raises Permanent with one sentence about the document, whatever a strange file does to a library: its neighbours in the
    job are drawn.
    """
    try:
        return _rendered(path, wanted)
    except Permanent:
        raise
    except Exception as error:
        if is_infrastructure_error(error):
            raise
        raise BadPicture(f"It cannot be drawn: {type(error).__name__}: {error}"[:REASON_MAX]) from None


def _rendered(path: Path, wanted: Sequence[Variant]) -> list[Thumbnail]:
    largest = max(variant.size for variant in wanted)
    made: list[Thumbnail] = []
    with bounded_memory():
        image = page_of(path, 0, largest) if is_pdf(path) else picture(path, (largest, largest))
        for size in sorted({variant.size for variant in wanted}, reverse=True):
            image = resized(image, fitted(image.size, (size, size)))
            made += [
                Thumbnail(variant, *image.size, encoded(image, variant.format))
                for variant in wanted
                if variant.size == size
            ]
    return made


def picture(path: Path, box: tuple[int, int], frame: int = 0) -> Image.Image:
    """An image file's frame (from 0) within a square `box`, upright, in square pixels, sRGB on white. Raises BadPicture."""
    with open_picture(path, frame) as image:
        shape = display_density(image)
        size = fitted(square_size(image.size, shape), box)
        load(image, (round(size[0] * DRAFT_GAP), round(size[1] * DRAFT_GAP)))
        turned = orientation(image)
        small = srgb_on_white(shrunk(image, size), image.info.get("icc_profile"))
    return upright(small, turned)
