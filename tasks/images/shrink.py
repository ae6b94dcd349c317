"""From a decoded picture to a small one, in a mode that colours can be worked in."""

from PIL import Image

from tasks.images.levels import DEEP_MODES, Levels, eight_bits, levels

GAP = 2.0
"""Factor by which the averaged picture stays larger than wanted, so that the final filter decides on sharpness."""

DRAFT_GAP = 1.5
"""The same for a JPEG decoded at a fraction, which libjpeg does in the frequency domain and so without blur."""

BAND_PIXELS = 4_000_000
"""Pixels converted at a time: a palette picture needs four times its memory in colour, but never all at once."""

PLAIN = ("L", "RGB", "CMYK", "LAB", "YCbCr")
"""Modes that can be averaged as they are."""


def fitted(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the same aspect within `box`, never larger than `size` and never without pixels."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A loaded picture at exactly `size`, its mode L, LA, RGB, RGBA, CMYK, LAB or YCbCr."""
    factor = (max(1, int(image.width / size[0] / GAP)), max(1, int(image.height / size[1] / GAP)))
    return resized(_averaged(image, factor), size)


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """By Lanczos' filter; colours are weighed by their opacity."""
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _averaged(image: Image.Image, factor: tuple[int, int]) -> Image.Image:
    """Each `factor` of pixels averaged into one."""
    if image.mode in PLAIN and "transparency" not in image.info:
        return image.reduce(factor) if factor != (1, 1) else image
    found = levels(image) if image.mode in DEEP_MODES else None
    rows = max(1, BAND_PIXELS // (image.width * factor[1])) * factor[1]
    bands = []
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(image.height, top + rows)))
        bands.append(_plain(band, found).reduce(factor))
    whole = Image.new(bands[0].mode, (bands[0].width, sum(band.height for band in bands)))
    top = 0
    for band in bands:
        whole.paste(band, (0, top))
        top += band.height
    return whole


def _plain(image: Image.Image, black_white: Levels | None) -> Image.Image:
    """In L, LA, RGB or RGBA, 8 bits a channel."""
    keyed = "transparency" in image.info
    if black_white:
        return eight_bits(image, black_white)
    if image.mode in ("1", "L"):
        return image.convert("LA" if keyed else "L")
    if image.mode in ("LA", "La"):
        return image.convert("LA")
    if image.mode == "P":
        keyed = keyed or (image.palette is not None and image.palette.mode == "RGBA")
        return image.convert("RGBA" if keyed else "RGB")
    return image.convert("RGBA" if keyed or image.mode in ("RGBA", "RGBa", "PA") else "RGB")
