"""A photo as an app shows it: a square cover, a preview, and what the camera wrote about it, from one decode."""

from pathlib import Path

from PIL import ImageOps

from tasks.images.colour import srgb_on_white
from tasks.images.decode_limit import bounded_memory
from tasks.images.density import display_density, square_size
from tasks.images.encode import encoded
from tasks.images.exif import orientation, taken_at, upright, upright_size
from tasks.images.photo_facts import Photo, PhotoFacts
from tasks.images.shrink import DRAFT_GAP, fitted, resized, shrunk
from tasks.images.source import load, open_picture

COVER_SIDE = 200
COVER_QUALITY = 80

PREVIEW_WIDTH = 800
PREVIEW_QUALITY = 85

PREVIEW_MAX_HEIGHT = 4 * PREVIEW_WIDTH
"""A taller preview becomes narrower: a screenshot of a whole conversation would pass WebP's 16,383 rows."""

WORK_MAX_PIXELS = 4_000_000
"""Pixels kept for the cover of a panorama, whose preview is too low to crop it from."""


def process_photo(path: Path) -> Photo:
    """Cover (200 × 200 around the middle, enlarged if need be) and preview (at most 800 wide). Raises BadPicture."""
    with bounded_memory():
        with open_picture(path) as image:
            whole, format = image.size, "jpeg" if image.format == "MPO" else str(image.format).lower()
            shape = display_density(image)
            size = _work_size(square_size(whole, shape))
            load(image, (round(size[0] * DRAFT_GAP), round(size[1] * DRAFT_GAP)))
            turned, taken = orientation(image), taken_at(image)
            work = upright(srgb_on_white(shrunk(image, size), image.info.get("icc_profile")), turned)
        facts = PhotoFacts(*upright_size(whole, turned), format, taken, turned)
        preview = resized(work, fitted(work.size, (PREVIEW_WIDTH, PREVIEW_MAX_HEIGHT)))
        source = preview if min(preview.size) >= COVER_SIDE else work
        cover = ImageOps.fit(source, (COVER_SIDE, COVER_SIDE))
        return Photo(facts, encoded(cover, "webp", COVER_QUALITY), encoded(preview, "webp", PREVIEW_QUALITY))


def _work_size(whole: tuple[int, int]) -> tuple[int, int]:
    """The smallest size that preview and cover can both be made from, whichever way up the picture turns out to be."""
    scale = max(PREVIEW_WIDTH / min(whole), COVER_SIDE / min(whole))
    scale = min(1.0, scale, (WORK_MAX_PIXELS / (whole[0] * whole[1])) ** 0.5)
    return max(1, round(whole[0] * scale)), max(1, round(whole[1] * scale))
