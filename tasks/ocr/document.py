"""Opening a document: a PDF, or an image file whose frames (TIFF) or single picture are its pages."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.ocr.pdf_wholeness import is_torn
from tasks.sdk import Permanent

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

PDF_MARK_WITHIN = 1024
"""Readers accept leading bytes before `%PDF-` (PDF 32000-1, annex H, note 13)."""


def is_pdf(path: Path) -> bool:
    """Return whether the file is a PDF by its content, whatever its name."""
    with path.open("rb") as file:
        return b"%PDF-" in file.read(PDF_MARK_WITHIN + 5)


def count_pages(path: Path) -> int:
    """The number of pages. Raises Permanent, with a sentence for the sender, for a document that cannot be opened."""
    if not is_pdf(path):
        with open_image(path) as image:
            return frame_count(image)
    with open_pdf(path) as pdf:
        return len(pdf)


@contextmanager
def open_pdf(path: Path) -> Iterator["PdfDocument"]:
    """The PDF, closed at the end. Raises Permanent if it is encrypted, damaged beyond repair or empty."""
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(path)
        # PDFium opens some files of which it finds no page; another reader may.
        if not len(pdf):
            pdf.close()
            pdf = pypdfium2.PdfDocument(repaired_pdf(path))
    except pypdfium2.PdfiumError:
        pdf = pypdfium2.PdfDocument(repaired_pdf(path))
    try:
        yield pdf
    finally:
        pdf.close()


def repaired_pdf(path: Path) -> bytes:
    """The PDF written again by qpdf, which finds its way through files that PDFium does not.

    Raises Permanent with the reason why there is nothing to be read: a password, no pages, or damage.
    """
    stat = path.stat()
    return _repaired(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)
def _repaired(path: Path, _mtime_ns: int, _size: int) -> bytes:
    import pikepdf
    import pypdfium2

    file = BytesIO()
    try:
        with pikepdf.open(path) as pdf:
            if not len(pdf.pages):
                raise Permanent("The PDF has no pages.")
            pdf.save(file)
        with closing(pypdfium2.PdfDocument(file.getvalue())) as again:
            # What is left of a torn file must not pass for the whole of it.
            if len(again) and not is_torn(path):
                return file.getvalue()
    except pikepdf.PasswordError:
        raise Permanent("The PDF is encrypted and needs a password; upload it without one.") from None
    except Permanent:
        raise
    except Exception:  # qpdf and PDFium raise errors of many kinds over a torn file
        pass
    raise Permanent("The file is not a readable PDF: it is damaged or cut short.")


def load_page(pdf: "PdfDocument", index: int) -> "PdfPage":
    """Page `index` (from 0). Raises Permanent where its object is missing or is not a page."""
    import pypdfium2

    try:
        return pdf[index]
    except pypdfium2.PdfiumError:
        raise Permanent("The page is missing or damaged.") from None


def frame_count(image: Any) -> int:
    """Pages of an opened picture: a TIFF has one for each frame, any other kind is one page."""
    return getattr(image, "n_frames", 1) if image.format == "TIFF" else 1


@contextmanager
def open_image(path: Path) -> Iterator[Any]:
    """The picture as a PIL image, its pixels not yet read. Raises Permanent if it is not one."""
    from tasks.images.errors import BadPicture
    from tasks.images.source import opened

    try:
        image = opened(path)
    except BadPicture:
        raise Permanent("The file is neither a PDF nor an image that can be read.") from None
    with image:
        yield image
