"""One page, from file to words: the function that the pool's children run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.ocr.document import is_pdf, open_pdf
from tasks.ocr.engines import load_engine
from tasks.ocr.order import reading_order
from tasks.ocr.render import render_image_frame, render_pdf_page
from tasks.ocr.text import assemble
from tasks.ocr.textlayer import text_layer
from tasks.ocr.words import PageText, Word, encode

if TYPE_CHECKING:
    import numpy

BLANK_SPREAD = 16
"""Grey levels between the darkest thousandth of a page and its paper, below which there is nothing to read."""


@dataclass(frozen=True)
class Reading:
    """How a document's pages are to be read. `models` is the folder where converted networks are kept."""

    engine: str = "easyocr"
    languages: tuple[str, ...] = ("en",)
    models: str = ""


def read_page(path: Path, index: int, reading: Reading) -> bytes:
    """Read page `index` (from 0) of the document at `path`: a `PageText` as JSON."""
    if not is_pdf(path):
        picture, scale = render_image_frame(path, index)
        size = picture.shape[1] / scale, picture.shape[0] / scale
        return _finish(_read_picture(picture, scale, size, reading), index)
    with open_pdf(path) as pdf:
        pdf.init_forms()
        page = pdf[index]
        # Form values and notes stand in annotations; flattened, they are part of the page's text.
        if page.formenv and page.flatten() == 1:
            page = pdf[index]
        words = text_layer(page)
        size = page.get_size()
        if words:
            return _finish(PageText(0, size[0], size[1], "text-layer", words), index)
        picture, scale = render_pdf_page(page)
        page.close()
    return _finish(_read_picture(picture, scale, size, reading), index)


def _read_picture(picture: "numpy.ndarray", scale: float, size: tuple[float, float], reading: Reading) -> PageText:
    if is_blank(picture):
        return PageText(0, size[0], size[1], "blank", [])
    engine = load_engine(reading.engine, reading.languages, reading.models)
    words = []
    for word in engine.read(picture):
        x0, y0, x1, y1 = (round(edge / scale, 2) for edge in word.box)
        words.append(Word(word.text, (x0, y0, x1, y1), round(word.confidence, 4), "ocr"))
    return PageText(0, size[0], size[1], "ocr", words, engine=engine.name)


def is_blank(picture: "numpy.ndarray") -> bool:
    """Whether the picture is empty paper. A look at every fourth pixel each way is enough: text is thicker."""
    import numpy

    sample = picture[::4, ::4] if min(picture.shape) > 400 else picture
    dark, light = numpy.percentile(sample, (0.1, 50))
    bright = numpy.percentile(sample, 99.9)
    return bool(light - dark < BLANK_SPREAD and bright - light < BLANK_SPREAD)


def _finish(page: PageText, index: int) -> bytes:
    page.page = index + 1
    page.width, page.height = round(page.width, 2), round(page.height, 2)
    page.words = reading_order(page.words)
    page.text = assemble(page.words)
    letters = sum(len(word.text) for word in page.words)
    if letters:
        page.confidence = round(sum(word.confidence * len(word.text) for word in page.words) / letters, 4)
    return encode(page)
