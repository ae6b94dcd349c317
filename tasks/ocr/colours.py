"""The one of a picture's colours in which its print shows, where its grey is empty: red on green of equal grey is
invisible in grey and plain in the green channel; white on transparent paper is invisible on white."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

SAMPLE_SIDE = 800
"""Longest side, in pixels, of the sample in which colours are compared."""

LIGHT = 128
"""Mean grey of what is drawn on transparent paper from which the paper is taken to be black."""


@dataclass(frozen=True)
class Separation:
    """A colour channel (0 red, 1 green, 2 blue) and the paper that is laid under what is transparent."""

    channel: int
    paper: str

    def of(self, image: Any) -> "Image":
        """A picture of any mode as this separation's grey."""
        return _on_paper(image, self.paper).getchannel(self.channel)


def separation(image: Any) -> Separation:
    """The separation of a picture in which light and dark are furthest apart."""
    import numpy
    from PIL import Image

    shrink = max(1, max(image.size) // SAMPLE_SIDE)
    size = max(1, image.width // shrink), max(1, image.height // shrink)
    sample = image.resize(size, Image.Resampling.NEAREST)
    paper = _paper(numpy.asarray(sample.convert("RGBA")))
    colours = numpy.asarray(_on_paper(sample, paper), dtype=numpy.int16)
    spread = colours.max(axis=(0, 1)) - colours.min(axis=(0, 1))
    return Separation(int(spread.argmax()), paper)


def _paper(colours: Any) -> str:
    drawn = colours[..., 3] >= LIGHT
    return "black" if drawn.any() and not drawn.all() and colours[drawn][:, :3].mean() >= LIGHT else "white"


def _on_paper(image: Any, paper: str) -> "Image":
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, paper), image)
    return image.convert("RGB")
