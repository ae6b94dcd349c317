"""Looking into an uploaded file. Runs in a child process: a file made to harm its reader costs that child only."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from service.documents.media_types import PDF, READ_HERE, VIDEOS
from service.lib.parent_death import bounded
from tasks.ocr.document import frame_count, open_pdf
from tasks.ocr.pdf_wholeness import is_torn
from tasks.sdk.errors import Permanent
from tasks.video.probe import BadVideo, probe

PROBE_MB = 1536
"""Memory of the program that looks into a video: a frame of 8K takes 50 to 100 MB, and it holds some ten of them."""


@dataclass(frozen=True)
class Inspection:
    """`pages` is None for a PDF that needs a password; `fault` says what is wrong with the file, after its name.

    `width`, `height` (pixels as it is to be seen) and `seconds` are those of a video, which has 0 pages. `other_kind` says
    that the fault is the kind of file.
    """

    pages: int | None = None
    fault: str | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    other_kind: bool = False


def inspect_file(path: Path, media_type: str) -> Inspection:
    """Count the pages of a PDF or the frames of a TIFF (any other image is one page), and see whether it is whole.

    Of a video, its measures and its length.
    """
    if media_type in VIDEOS:
        return _inspect_video(path, media_type)
    return _inspect_pdf(path) if media_type == PDF else _inspect_image(path, media_type)


def _inspect_pdf(path: Path) -> Inspection:
    try:
        with open_pdf(path) as pdf:
            pages = len(pdf)
    except Permanent as error:
        if "encrypted" in str(error):
            return Inspection()
        return Inspection(fault="has no pages" if "no pages" in str(error) else _DAMAGED.format(kind="a PDF"))
    if is_torn(path):
        # PDFium repairs what it can, so missing pages would come out blank, and no one would know.
        return Inspection(fault="is cut short: the end of the PDF is missing")
    return Inspection(pages)


def _inspect_video(path: Path, media_type: str) -> Inspection:
    try:
        facts = probe(path, media_type, lambda command: bounded(command, PROBE_MB))
    except BadVideo as error:
        return Inspection(fault=str(error), other_kind=error.audio_only)
    return Inspection(0, width=facts.size.width, height=facts.size.height, seconds=round(facts.seconds, 3))


def _inspect_image(path: Path, media_type: str) -> Inspection:
    from tasks.images.errors import TooMuchText
    from tasks.images.raw_photos import raw_photo
    from tasks.images.source import opened

    warnings.simplefilter("ignore")
    try:
        # Only headers are read here, whatever size they claim; what renders the picture bounds it.
        with opened(path) as image:
            raw = raw_photo(image)
            frames = frame_count(image)
            if media_type == "image/png":
                image.verify()
    except TooMuchText as error:
        return Inspection(fault=str(error).removeprefix("The picture ").rstrip("."))
    except Exception:  # Pillow's plugins raise whatever their parsers stumble over
        return Inspection(fault=_DAMAGED.format(kind=_A_KIND[media_type]))
    if raw:
        return Inspection(fault=f"is {raw}, which is not read here; send {READ_HERE}")
    return Inspection(frames) if frames else Inspection(fault="has no pages")


_DAMAGED = "is damaged or cut short: it begins like {kind} but cannot be opened as one"

_A_KIND = {
    "image/png": "a PNG image",
    "image/jpeg": "a JPEG image",
    "image/webp": "a WebP image",
    "image/tiff": "a TIFF image",
    "image/gif": "a GIF image",
    "image/bmp": "a BMP image",
    "image/avif": "an AVIF image",
    "image/heic": "a HEIC image",
    "image/jp2": "a JPEG 2000 image",
}
