"""searchable.pdf: the original pages with what was read laid over them as invisible text. Runs in a child."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.ocr.document import is_pdf
from tasks.ocr.text_overlay import lay_over
from tasks.ocr.words import PageText, decode

if TYPE_CHECKING:
    from pikepdf import Pdf


LEVEL_WITHIN = 0.1
"""Degrees of skew that no eye sees: a rise of one in six hundred."""


@dataclass(frozen=True)
class Output:
    """Options of the file, apart from the text laid over it."""

    pdfa: bool = False
    """Write PDF/A-2b, the archives' profile of ISO 19005-2."""
    deskew: bool = False
    """Set pages that were read upright and level."""
    drop_blank: bool = False
    """Leave blank pages out."""


@dataclass
class WrittenPdf:
    """`pages` are those of the document, from 1, in the order of the file. `refusal` says why it is not PDF/A."""

    pages: list[int]
    refusal: str | None = None


def write_searchable(source: Path, pages: list[Path], target: Path, output: Output = Output()) -> WrittenPdf:
    """Write `target` from the document `source` and its pages as read (files of `PageText` JSON; missing ones failed).

    The original's images and other streams are copied as they are. Text goes only where a page was read by OCR.
    """
    with opened_as_pdf(source) as pdf:
        texts = _texts(pdf, pages)
        lay_over(pdf, texts)
        if output.deskew:
            for page, text in zip(pdf.pages, texts, strict=True):
                if text is not None and text.source == "ocr":
                    set_level(pdf, page, text.rotation, text.skew)
        numbers = _without_blank(pdf, texts) if output.drop_blank else [number + 1 for number in range(len(pdf.pages))]
        refusal = save_pdfa(pdf, target) if output.pdfa else None
        if not output.pdfa or refusal:
            pdf.save(target)
        return WrittenPdf(numbers, refusal)


@contextmanager
def opened_as_pdf(source: Path) -> Iterator["Pdf"]:
    """The document as a PDF that may be changed; a picture becomes one."""
    import pikepdf

    if is_pdf(source):
        with pikepdf.open(source) as pdf:
            yield pdf
        return
    from tasks.ocr.image_to_pdf import wrapped_image

    with wrapped_image(source) as pdf:
        yield pdf


def _texts(pdf: "Pdf", files: list[Path]) -> list[PageText | None]:
    """Each page as read; None for one that was not."""
    if len(pdf.pages) != len(files):
        # qpdf passes over pages whose objects are lost; PDFium counts them, and reading them failed.
        files = [file for file in files if file.exists()]
    return [decode(file.read_bytes()) if file.exists() else None for file in files]


def _without_blank(pdf: "Pdf", texts: list[PageText | None]) -> list[int]:
    """Remove blank pages, unless all are blank: a PDF needs one. Returns the numbers of those that stay."""
    numbers = [index for index, text in enumerate(texts) if text is None or text.source != "blank"] or [0]
    for index in reversed(range(len(texts))):
        if index not in numbers:
            del pdf.pages[index]
    return [index + 1 for index in numbers]


def save_pdfa(pdf: "Pdf", target: Path) -> str | None:
    """Write PDF/A-2b, validated as written; or return in one sentence what keeps the document from being it."""
    from pikepdf import pdfa

    try:
        pdfa.save(pdf, target, "2b")
    except pdfa.PdfaError as error:
        first = next(iter(error.report.findings), None)
        reason = f"{first.message} ({first.rule})" if first else "it was not approved"
        return f"The document cannot be PDF/A as it is: {reason}."
    return None


def set_level(pdf: "Pdf", page: Any, rotation: int, skew: float) -> None:
    """Turn a page by `rotation` degrees clockwise, and its content by `skew` degrees so that its lines are level."""
    import pikepdf

    if abs(skew) >= LEVEL_WITHIN:
        left, bottom, right, top = (float(edge) for edge in page.cropbox)
        x, y = (left + right) / 2, (bottom + top) / 2
        cos, sin = math.cos(math.radians(skew)), math.sin(math.radians(skew))
        moved = cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y
        page.contents_add(pikepdf.Stream(pdf, b"q %.6f %.6f %.6f %.6f %.4f %.4f cm\n" % moved), prepend=True)
        page.contents_add(pikepdf.Stream(pdf, b"\nQ\n"))
    if rotation:
        page.rotate(rotation, relative=True)
