"""One page of a document as a picture to read next to its text. Runs in a child."""

from pathlib import Path

SIDE = 1_200
"""Longest side in pixels: the lines of a dense A4 page can just be read, in some 100 kB."""


def page_picture(path: Path, index: int, turned: int = 0) -> bytes:
    """Page `index` (from 0) of a PDF or frame of an image, as displayed or turned by so many degrees clockwise, as WebP.

    Raises Permanent.
    """
    # Here, because pages name this function and draw nothing themselves.
    from tasks.images.decode_limit import bounded_memory
    from tasks.images.encode import encoded
    from tasks.images.pdf import page_of
    from tasks.images.thumbnails import picture
    from tasks.ocr.document import is_pdf

    with bounded_memory():
        image = page_of(path, index, SIDE) if is_pdf(path) else picture(path, (SIDE, SIDE), index)
        return encoded(image.rotate(-turned, expand=True) if turned else image, "webp")
