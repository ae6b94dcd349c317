"""Splitting a batch into documents at separator sheets or barcodes. Runs in a child."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from tasks.ocr.document import count_pages, is_pdf, load_page, open_pdf
from tasks.ocr.render import render_image_frame, render_part
from tasks.sdk.errors import Permanent

if TYPE_CHECKING:
    import numpy

Split = Literal["none", "separators", "barcodes"]

SEPARATOR = "PATCHT"
"""Text of the barcode on a separator sheet: the patch code T of document scanners, as paperless-ngx prints it too."""

SCALE = 150 / 72
"""Pixels a point: a narrow bar of a printed code is two or three pixels wide."""

DOCUMENTS_MAX = 500
"""Documents that one batch may become; each is a file of the job."""

SIDE_MAX = 2_500
"""Longest side of a picture in which barcodes are looked for."""


class Document(msgspec.Struct):
    """One document of a batch: its file, the pages of the original that it has (from 1), and the barcode it begins at."""

    name: str
    pages: list[int]
    barcode: str | None = None


def barcodes(source: Path) -> list[list[str]]:
    """Texts of the barcodes on each page, in the order of the pages. A page that cannot be drawn has none."""
    if not is_pdf(source):
        return [_read(_small(render_image_frame(source, index)[0])) for index in range(count_pages(source))]
    found: list[list[str]] = []
    with open_pdf(source) as pdf:
        for index in range(len(pdf)):
            try:
                page = load_page(pdf, index)
            except Permanent:
                found.append([])
                continue
            longest = max(1.0, *page.get_size())
            found.append(_read(render_part(page, min(SCALE, SIDE_MAX / longest)).picture))
    return found


def _small(picture: "numpy.ndarray") -> "numpy.ndarray":
    return picture[:: max(1, max(picture.shape) // SIDE_MAX), :: max(1, max(picture.shape) // SIDE_MAX)]


def _read(picture: "numpy.ndarray") -> list[str]:
    import numpy
    import zxingcpp

    return [code.text for code in zxingcpp.read_barcodes(numpy.ascontiguousarray(picture)) if code.text]


@dataclass
class _Start:
    pages: list[int]
    barcode: str | None


def documents(found: list[list[str]], split: Split) -> list[Document]:
    """The documents of a batch whose pages have these barcodes. Separator sheets belong to none.

    At "separators" a page with the code SEPARATOR divides; at "barcodes" every page with a code begins a document.
    Raises Permanent for more than DOCUMENTS_MAX.
    """
    starts = [_Start([], None)]
    for page, codes in enumerate(found, 1):
        if split == "separators" and SEPARATOR in codes:
            starts.append(_Start([], None))
            continue
        if split == "barcodes" and codes:
            starts.append(_Start([], codes[0]))
        starts[-1].pages.append(page)
    filled = [start for start in starts if start.pages]
    if len(filled) > DOCUMENTS_MAX:
        raise Permanent(f"The batch would become {len(filled):,} documents; at most {DOCUMENTS_MAX} are made of one.")
    return [Document(f"document-{number:03d}.pdf", one.pages, one.barcode) for number, one in enumerate(filled, 1)]


def write_documents(whole: Path, pages: list[int], wanted: list[Document], folder: Path, pdfa: bool) -> list[str]:
    """Write each document from `whole`, whose pages are those of the original by `pages`. Returns the names written."""
    import pikepdf

    from tasks.ocr.searchable import save_pdfa

    indexes = {page: index for index, page in enumerate(pages)}
    written: list[str] = []
    with pikepdf.open(whole) as pdf:
        for one in wanted:
            chosen = [indexes[page] for page in one.pages if page in indexes]
            if not chosen:
                continue
            with pikepdf.new() as part:
                part.pages.extend(pdf.pages[index] for index in chosen)
                if not pdfa or save_pdfa(part, folder / one.name):
                    part.save(folder / one.name)
            written.append(one.name)
    return written
