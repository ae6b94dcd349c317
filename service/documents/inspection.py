"""Looking into an uploaded file. Runs in a child process: a file made to harm its reader costs that child only."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from service.documents.media_types import PDF

TAIL_BYTES = 65_536
"""Where the end of a PDF is looked for. It belongs in the last 1024 bytes, but mailers and scanners pad files."""


@dataclass(frozen=True)
class Inspection:
    """`pages` is None for a PDF that needs a password; `fault` says what is wrong with the file, after its name."""

    pages: int | None = None
    fault: str | None = None


def inspect_file(path: Path, media_type: str) -> Inspection:
    """Count the pages of a PDF or the frames of a TIFF (any other image is one page), and see whether it is whole."""
    return _inspect_pdf(path) if media_type == PDF else _inspect_image(path, media_type)


def _inspect_pdf(path: Path) -> Inspection:
    import pypdfium2  # noqa: F401  # its import starts the library
    import pypdfium2.raw as pdfium

    # Not through pypdfium2.PdfDocument: it reports a document without pages by whatever error came last.
    document = pdfium.FPDF_LoadDocument(os.fsencode(path) + b"\0", None)
    if not document:
        return Inspection() if _is_locked(path) else Inspection(fault=_DAMAGED.format(kind="a PDF"))
    pages = int(pdfium.FPDF_GetPageCount(document))
    pdfium.FPDF_CloseDocument(document)
    if pages < 1:
        return Inspection(fault="has no pages")
    if not _ends_like_a_pdf(path):
        # PDFium repairs what it can, so the missing pages would come out as blank ones and nobody would know.
        return Inspection(fault="is cut short: the end of the PDF is missing")
    return Inspection(pages)


def _is_locked(path: Path) -> bool:
    """Whether it takes a password to open. PDFium's own error code may be left over from an earlier document."""
    import pikepdf

    try:
        pikepdf.open(path).close()
    except pikepdf.PasswordError:
        return True
    except Exception:  # qpdf stumbles over a torn file in other ways than PDFium; torn it is either way
        return False
    return False


def _ends_like_a_pdf(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return b"%%EOF" in file.read()


def _inspect_image(path: Path, media_type: str) -> Inspection:
    from PIL import Image

    # Only headers are read here, whatever size they claim; what renders the picture bounds it.
    Image.MAX_IMAGE_PIXELS = None
    warnings.simplefilter("ignore")
    try:
        with Image.open(path) as image:
            frames = int(getattr(image, "n_frames", 1)) if media_type == "image/tiff" else 1
            if media_type == "image/png":
                image.verify()
    except Exception:  # Pillow's plugins raise whatever their parsers stumble over
        return Inspection(fault=_DAMAGED.format(kind=_A_KIND[media_type]))
    return Inspection(frames) if frames else Inspection(fault="has no pages")


_DAMAGED = "is damaged or cut short: it begins like {kind} but cannot be opened as one"

_A_KIND = {
    "image/png": "a PNG image",
    "image/jpeg": "a JPEG image",
    "image/webp": "a WebP image",
    "image/tiff": "a TIFF image",
    "image/gif": "a GIF image",
}
