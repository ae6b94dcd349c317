"""A scanner's view of a page: a picture, a little crooked, a little grey, a little noisy, and compressed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Wear:
    """Quality of the scan. `skew` in degrees (positive: lines run downhill), `noise` as the standard deviation of its
    grey levels, `quality` as JPEG's, `blur` in pixels, `turn` in degrees clockwise (0, 90, 180, 270)."""

    skew: float = 0.0
    noise: float = 0.0
    quality: int = 90
    blur: float = 0.0
    turn: int = 0


CLEAN = Wear()
MILD = Wear(skew=1.0, noise=8.0, quality=50)
HEAVY = Wear(skew=2.0, noise=20.0, quality=30, blur=0.8)


def pictures(pdf: bytes, dpi: int, wear: Wear, seed: int) -> list["Image"]:
    """The pages of a PDF as scanned, grey."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    made = [
        worn(page.render(scale=dpi / 72, grayscale=True).to_pil(), wear, seed + number)
        for number, page in enumerate(document)
    ]
    document.close()
    return made


def worn(picture: "Image", wear: Wear, seed: int) -> "Image":
    """The picture after `wear`; the same seed gives the same picture."""
    import numpy
    from PIL import Image, ImageFilter

    if wear.skew:
        picture = picture.rotate(-wear.skew, Image.Resampling.BICUBIC, fillcolor=255)
    if wear.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(wear.blur))
    if wear.noise:
        noise = numpy.random.default_rng(seed).normal(0, wear.noise, (picture.height, picture.width))
        # Paper is not white: without this half of the noise would be clipped away.
        grey = numpy.asarray(picture, dtype=numpy.float32) * 0.9 + 10 + noise
        picture = Image.fromarray(grey.clip(0, 255).astype(numpy.uint8))
    file = BytesIO()
    picture.save(file, "JPEG", quality=wear.quality)
    picture = Image.open(BytesIO(file.getvalue()))
    return picture.rotate(-wear.turn, expand=True) if wear.turn else picture


def as_pdf(pages: Sequence["Image"], dpi: int, quality: int = 75) -> bytes:
    """The pictures as the pages of a PDF without any text."""
    file = BytesIO()
    # A date of its own would make every copy a different file.
    date = time.gmtime(0)
    pages[0].save(
        file,
        "PDF",
        save_all=True,
        append_images=pages[1:],
        resolution=dpi,
        quality=quality,
        creationDate=date,
        modDate=date,
    )
    return file.getvalue()
