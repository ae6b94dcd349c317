"""Any colours to sRGB on white, without a profile: what has none is taken for sRGB everywhere."""

import io
from functools import cache

from PIL import Image, ImageCms

SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
"""A profile's colour space (ICC.1:2022, table 19) and the mode it can be applied to."""


def srgb_on_white(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in RGB. `profile` is its embedded ICC profile; one that is broken or of another space is ignored."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    colours = _to_srgb(image.convert(image.mode[:-1]) if alpha else image, profile)
    if alpha is None:
        return colours
    paper = Image.new("RGB", image.size, "white")
    paper.paste(colours, mask=alpha)
    return paper


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LAB":
        profile = profile or _lab()
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            fits = SPACES.get(source.profile.xcolor_space.strip()) == image.mode
            if fits and not (source.profile.profile_description or "").startswith("sRGB"):
                # Without black point compensation the shadows of most printing profiles come out grey.
                flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
                made = ImageCms.profileToProfile(image, source, _srgb(), outputMode="RGB", flags=flags)
                return made or image.convert("RGB")
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            # A profile that cannot be read is not a reason to show no picture.
            return _untagged(image)
    return _untagged(image)


def _untagged(image: Image.Image) -> Image.Image:
    return image.convert("RGB")


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _lab() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
