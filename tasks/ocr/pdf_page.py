"""One page of a PDF: its own words where it has good ones, what is read from its pictures where it has not, or both."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tasks.ocr.document import load_page, open_pdf
from tasks.ocr.layer_check import Band, band_of, belongs
from tasks.ocr.layers import without_layers
from tasks.ocr.page_pictures import PageObjects, is_even, page_objects, undecodable
from tasks.ocr.pdf_facts import PdfFacts, pdf_facts
from tasks.ocr.reading_order import reading_order
from tasks.ocr.render import page_scale, render_part
from tasks.ocr.textlayer import TextLayer, has_characters, text_layer
from tasks.ocr.uncovered import uncovered_pictures
from tasks.ocr.words import Box, PageText, Word
from tasks.sdk.errors import Permanent

if TYPE_CHECKING:
    import numpy
    from pypdfium2 import PdfDocument, PdfPage

TextLayerUse = Literal["auto", "ignore", "only"]

SAMPLE_SCALE = 1.5
"""Pixels a point of the rendering in which it is seen what a page shows: a letter of 6 pt is nine high."""

ROUND_PICTURES = 4.0
"""Points around pictures that are read with them: letters at their edge."""

ReadPicture = Callable[["numpy.ndarray", float, tuple[float, float]], PageText]
"""Reads a picture of so many pixels a point that shows so many points."""

XFA_DOUBT = (
    "A dynamic XFA form: only Adobe's programs draw its pages. "
    "The text holds the values of its fields, as far as they are in the file."
)


ONLY_DOUBT = "The page has no text layer, and what it shows was not read, as asked."


@dataclass
class Plan:
    """Decisions on a page before it is read. Boxes are in units of the page, which `unit` points make up."""

    size: tuple[float, float]
    unit: float
    words: list[Word]
    """Words of the text layer that are taken as they are, if `band` bears them out."""
    visible: list[Word]
    """Those of them that are kept if it does not."""
    areas: list[Box] | None
    """Parts of the page to be read from its picture; None for the whole page."""
    band: Band | None = None
    """Strip of the page whose reading must bear out the invisible words."""
    doubt: str | None = None


def read_pdf_page(path: Path, index: int, use: TextLayerUse, read: ReadPicture) -> PageText:
    """Page `index` (from 0). Raises Permanent where nothing on it can be had, and whatever `read` raises."""
    facts = pdf_facts(path)
    with open_pdf(path) as pdf:
        pdf.init_forms()
        page = _flattened(pdf, index)
        if facts.xfa_values is not None and use != "ignore":
            return _xfa_page(page, facts, index)
        objects = page_objects(page)
        plan = _plan(path, index, page, objects, facts, use)
        return _scaled(_carried_out(plan, page, objects, read), plan)


def needs_engine(path: Path, index: int, use: TextLayerUse) -> bool:
    """Return whether any of the page will be read from its picture."""
    facts = pdf_facts(path)
    if use == "only" or (facts.xfa_values is not None and use != "ignore"):
        return False
    with open_pdf(path) as pdf:
        pdf.init_forms()
        page = _flattened(pdf, index)
        plan = _plan(path, index, page, page_objects(page), facts, use)
        return plan.areas is None or bool(plan.areas) or plan.band is not None


def _flattened(pdf: "PdfDocument", index: int) -> "PdfPage":
    page = load_page(pdf, index)
    # Form values and notes stand in annotations; flattened, they are part of the page's text.
    if page.formenv:
        page.flatten()
        page = load_page(pdf, index)
    return page


def _xfa_page(page: "PdfPage", facts: PdfFacts, index: int) -> PageText:
    width, height = page.get_size()
    values = "\n".join(f"{name}: {value}" for name, value in facts.xfa_values or ())
    # The form is one, however many placeholder pages it has.
    text = values if index == 0 else ""
    return PageText(0, round(width, 2), round(height, 2), "text-layer", [], text, doubtful=True, doubt=XFA_DOUBT)


def _plan(path: Path, index: int, page: "PdfPage", objects: PageObjects, facts: PdfFacts, use: TextLayerUse) -> Plan:
    size, unit = page.get_size(), facts.user_unit(index)
    if use == "ignore" or (use == "auto" and not has_characters(page)):
        # Its pictures are looked at once they are rendered to be read: decoding a scan twice is a tenth of its reading.
        return Plan(size, unit, [], [], None)
    picture = render_part(page, SAMPLE_SCALE)
    broken = undecodable(objects.pictures, picture.picture, picture.scale, size)
    layer = _layer(path, index, page, objects, facts, picture.picture, picture.scale)
    words, visible = layer.words, layer.visible
    if use == "only":
        shown = None if words or is_even(picture.picture) else ONLY_DOUBT
        return Plan(size, unit, words, words, [], doubt=broken or shown)
    if layer.unmapped or not words:
        return _or_fails(Plan(size, unit, [], [], None, doubt=broken))
    unread = uncovered_pictures(objects.pictures, words, picture.picture, picture.scale, size)
    band = band_of(layer.invisible) if layer.invisible else None
    areas = [_around([one.box for one in unread], size)] if unread else []
    return Plan(size, unit, words, visible, areas, band, broken)


def _layer(
    path: Path,
    index: int,
    page: "PdfPage",
    objects: PageObjects,
    facts: PdfFacts,
    picture: "numpy.ndarray",
    scale: float,
) -> TextLayer:
    if not facts.layers_off:
        return text_layer(page, objects, picture, scale)
    import pypdfium2

    single = pypdfium2.PdfDocument(without_layers(path, index, facts.layers_off))
    try:
        shown = _flattened(single, 0)
        return text_layer(shown, page_objects(shown), picture, scale)
    finally:
        single.close()


def _or_fails(plan: Plan) -> Plan:
    """A page without words of its own whose picture cannot be decoded has nothing to be read."""
    if plan.doubt:
        raise Permanent(plan.doubt)
    return plan


def _carried_out(plan: Plan, page: "PdfPage", objects: PageObjects, read: ReadPicture) -> PageText:
    if plan.band and not belongs(plan.band, _read_area(plan, page, objects, plan.band.box, read).words):
        if plan.doubt:
            raise Permanent(plan.doubt)
        plan.words = plan.visible
        plan.areas = None
    width, height = round(plan.size[0], 2), round(plan.size[1], 2)
    if plan.areas is None:
        result = _read_whole(plan, page, objects, read)
    elif plan.areas:
        result = _read_area(plan, page, objects, plan.areas[0], read)
    else:
        return PageText(0, width, height, "text-layer", reading_order(plan.words))
    if plan.words:
        _merge(result, plan.words)
    result.width, result.height = width, height
    return result


def _read_whole(plan: Plan, page: "PdfPage", objects: PageObjects, read: ReadPicture) -> PageText:
    """Reading of the page as it is displayed. Raises Permanent where a picture of a page without words is broken."""
    part = render_part(page, page_scale(plan.size, plan.unit, objects.pictures))
    broken = undecodable(objects.pictures, part.picture, part.scale, plan.size)
    if broken and not plan.words:
        raise Permanent(broken)
    return read(part.picture, part.scale, plan.size)


def _read_area(plan: Plan, page: "PdfPage", objects: PageObjects, area: Box, read: ReadPicture) -> PageText:
    """Reading of a part of the page, its boxes those of the page."""
    part = render_part(page, page_scale(plan.size, plan.unit, objects.pictures), area)
    found = read(part.picture, part.scale, (area[2] - area[0], area[3] - area[1]))
    for word in found.words:
        x0, y0, x1, y1 = word.box
        word.box = x0 + area[0], y0 + area[1], x1 + area[0], y1 + area[1]
    return found


def _merge(read: PageText, own: list[Word]) -> None:
    """Add the page's own words to what was read, in place of what was read where they stand."""
    added = [word for word in read.words if not any(_overlaps(word.box, one.box) for one in own)]
    if not added:
        read.source, read.engine, read.rotation, read.skew = "text-layer", None, 0, 0.0
        read.doubtful, read.doubt = False, None
    if read.rotation == 0:
        read.words = reading_order(own + added)
    else:
        # Lines of the picture run another way than those of the page.
        read.words = reading_order(own)
        lines = 1 + max((word.line for word in read.words), default=-1)
        blocks = 1 + max((word.block for word in read.words), default=-1)
        for order, word in enumerate(added, len(read.words)):
            word.order, word.line, word.block = order, word.line + lines, word.block + blocks
        read.words += added
    letters = sum(len(word.text) for word in read.words)
    read.confidence = round(sum(word.confidence * len(word.text) for word in read.words) / max(1, letters), 4)


def _overlaps(box: Box, other: Box) -> bool:
    """Return whether at least half of `box` lies in `other`."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    area = max(1e-6, (box[2] - box[0]) * (box[3] - box[1]))
    return width > 0 and height > 0 and width * height >= area / 2


def _around(boxes: list[Box], size: tuple[float, float]) -> Box:
    return (
        max(0.0, min(box[0] for box in boxes) - ROUND_PICTURES),
        max(0.0, min(box[1] for box in boxes) - ROUND_PICTURES),
        min(size[0], max(box[2] for box in boxes) + ROUND_PICTURES),
        min(size[1], max(box[3] for box in boxes) + ROUND_PICTURES),
    )


def _scaled(page: PageText, plan: Plan) -> PageText:
    """The page in points, and with its doubt."""
    if plan.doubt and not page.doubtful:
        page.doubtful, page.doubt = True, plan.doubt
    if plan.unit != 1:
        page.width, page.height = round(page.width * plan.unit, 2), round(page.height * plan.unit, 2)
    for word in page.words:
        x0, y0, x1, y1 = (round(edge * plan.unit, 2) for edge in word.box)
        word.box = x0, y0, x1, y1
    return page
