"""One page, from file to words: the function that the pool's children run."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.ocr.document import count_pages, is_pdf
from tasks.ocr.engines import NotPrepared, load_engine, prepared
from tasks.ocr.pdf_page import TextLayerUse, needs_engine, read_pdf_page
from tasks.ocr.recognition import read_upright
from tasks.ocr.render import render_image_frame
from tasks.ocr.text import assemble
from tasks.ocr.words import PageText, encode

if TYPE_CHECKING:
    import numpy


NOTHING_READ = "There is ink on the page, and none of it could be read as text."


BLACK = "The page is black all over."

HOPELESS = 0.1
"""Confidence under which a page is read as its negative too, and that reading kept where nothing in it is doubtful."""


@dataclass(frozen=True)
class Reading:
    """Reading options of a document's pages. `models` is the folder where converted networks are kept.

    `turned` is the degrees clockwise by page (from 1) that people have set; `turn` those of the page that is read.
    """

    models: Path
    engine: str = "auto"
    languages: tuple[str, ...] = ("en",)
    text_layer: TextLayerUse = "auto"
    turned: tuple[tuple[int, int], ...] = ()
    turn: int | None = None


def prepare_engine(reading: Reading) -> None:
    """Convert what the engine needs, once a machine."""
    load_engine(reading.engine, reading.languages, reading.models)


def wants_preparing(path: Path, pages: range, reading: Reading) -> bool:
    """True where any of `pages` (from 0; those beyond the last are passed over) needs an engine that is not prepared yet."""
    if prepared(reading.engine, reading.languages, reading.models):
        return False
    if not is_pdf(path):
        return True
    count = count_pages(path)
    return any(needs_engine(path, index, reading.text_layer) for index in pages if index < count)


def read_page(path: Path, index: int, reading: Reading) -> bytes:
    """Read page `index` (from 0) of the document at `path`: a `PageText` as JSON.

    Raises NotPrepared where the page needs an engine that `prepare_engine` has yet to prepare: that may take longer than
    a page is given.
    """
    turn = dict(reading.turned).get(index + 1)
    if turn is not None:
        # Who turns a page means its picture: words of its text layer have a direction of their own.
        reading = replace(reading, text_layer="ignore", turn=turn)
    page = _read_pdf_page(path, index, reading) if is_pdf(path) else _read_frame(path, index, reading)
    page.page = index + 1
    page.text = page.text or assemble(page.words)
    if page.source == "ocr" and not page.words and not page.doubtful:
        page.doubtful, page.doubt = True, NOTHING_READ
    return encode(page)


def _read_frame(path: Path, index: int, reading: Reading) -> PageText:
    page = _read_picture(*render_image_frame(path, index), reading)
    if page.source != "blank":
        return page
    # Of a picture that is empty in grey alone: another decode for each truly empty one costs less than a lost page.
    return _read_picture(*render_image_frame(path, index, in_best_colour=True), reading)


def _read_pdf_page(path: Path, index: int, reading: Reading) -> PageText:
    def read(picture: "numpy.ndarray", scale: float, size: tuple[float, float]) -> PageText:
        return _read_picture(picture, scale, size, reading)

    return read_pdf_page(path, index, reading.text_layer, read)


def _read_picture(picture: "numpy.ndarray", scale: float, size: tuple[float, float], reading: Reading) -> PageText:
    """OCR of a page of `size` points, rendered at `scale` pixels a point."""
    from tasks.ocr.paper import cleaned

    width, height = round(size[0], 2), round(size[1], 2)
    page = cleaned(picture)
    if page.blank:
        reason = BLACK if page.dark else None
        return PageText(0, width, height, "blank", [], doubtful=page.dark, doubt=reason)
    if not prepared(reading.engine, reading.languages, reading.models):
        raise NotPrepared
    engine = load_engine(reading.engine, reading.languages, reading.models)
    turned = None if reading.turn is None else reading.turn // 90
    read = read_upright(page.picture, engine, turned)
    if read.confidence < HOPELESS and not page.faint:
        # A negative that is half light, as of a photographed page, is not known by its greys, but by what can be read.
        negative = read_upright(cleaned(255 - picture).picture, engine, turned)
        read = negative if negative.doubt is None else read
    if page.faint and not read.words:
        # Noise of the paper, not print.
        return PageText(0, width, height, "blank", [])
    for word in read.words:
        x0, y0, x1, y1 = word.box
        word.box = round(x0 / scale, 2), round(y0 / scale, 2), round(x1 / scale, 2), round(y1 / scale, 2)
    return PageText(
        0,
        width,
        height,
        "ocr",
        read.words,
        confidence=read.confidence,
        doubtful=read.doubt is not None,
        doubt=read.doubt,
        engine=read.engine,
        rotation=read.quarter_turns * 90,
        skew=round(read.skew, 2),
    )
