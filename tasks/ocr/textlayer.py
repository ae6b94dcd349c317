"""Words that a PDF page already carries, and which of them the page shows."""

import ctypes
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.ocr.coordinates import Display
from tasks.ocr.page_pictures import PageObjects, address
from tasks.ocr.words import Box, Word

if TYPE_CHECKING:
    import numpy
    from pypdfium2 import PdfPage

RUBBISH_SHARE = 0.1
"""Above this share of characters without meaning the layer is not text: a font without a Unicode map gives nearly 1."""

MEANINGLESS = frozenset({"Cc", "Co", "Cn"})
"""Unicode categories that no reader means: control, private use, unassigned."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

INVISIBLE_MODES = (3, 7)
"""Text rendering modes that leave no mark (ISO 32000-1, table 106)."""

FLAT = 4
"""Grey levels within which a surface is of one tone: a word there is white on white, clipped away or covered."""


@dataclass
class LayerWord:
    """A word of the text layer. `drawn` says whether the file means it to be seen, where nothing covers it."""

    word: Word
    drawn: bool
    order: int


@dataclass
class TextLayer:
    """The words of a page by how they are seen."""

    visible: list[Word] = field(default_factory=list)
    """Drawn, and there is ink where they stand."""
    invisible: list[Word] = field(default_factory=list)
    """Laid over or under a picture that has ink where they stand, as OCR programs do."""
    unmapped: bool = False
    """True for a page that draws text whose characters mean nothing: its words have to be read from the picture."""

    @property
    def words(self) -> list[Word]:
        """All of them."""
        return self.visible + self.invisible


def has_characters(page: "PdfPage") -> bool:
    """Return whether the page carries any text, seen or not."""
    textpage = page.get_textpage()
    count = textpage.count_chars()
    textpage.close()
    return count > 0


def text_layer(page: "PdfPage", objects: PageObjects, picture: "numpy.ndarray", scale: float) -> TextLayer:
    """The words that stand on the page as displayed, in the order of the file.

    `picture` is the page as rendered, `scale` its pixels a point. Words off the page, or where it shows an even surface,
    are left out.
    """
    found, rubbish = _words(page, objects)
    width, height = Display(page.get_bbox(), page.get_rotation()).size
    layer = TextLayer()
    for one in found:
        box = _on_page(one.word.box, width, height)
        if box is None or not _has_ink(picture, box, scale):
            continue
        one.word.box = box
        covered = any(one.order < picture.order and _holds(picture.box, box) for picture in objects.pictures)
        (layer.visible if one.drawn and not covered else layer.invisible).append(one.word)
    if rubbish > RUBBISH_SHARE:
        return TextLayer(unmapped=True)
    return layer


def _on_page(box: Box, width: float, height: float) -> Box | None:
    """The box as far as it is on the page; None where its middle is not."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    if not (0 <= x <= width and 0 <= y <= height):
        return None
    return max(0.0, box[0]), max(0.0, box[1]), min(round(width, 2), box[2]), min(round(height, 2), box[3])


def _has_ink(picture: "numpy.ndarray", box: Box, scale: float) -> bool:
    x0, y0 = int(box[0] * scale), int(box[1] * scale)
    drawn = picture[y0 : max(y0 + 1, round(box[3] * scale)), x0 : max(x0 + 1, round(box[2] * scale))]
    return bool(drawn.size) and int(drawn.max()) - int(drawn.min()) > FLAT


def _holds(outer: Box, inner: Box) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def _words(page: "PdfPage", objects: PageObjects) -> tuple[list[LayerWord], float]:
    """The words in the file's order, and the share of characters that mean nothing."""
    from pypdfium2 import raw

    display = Display(page.get_bbox(), page.get_rotation())
    builder = _Words(display)
    drawn_by: dict[int, bool] = {}
    count = meaningless = 0
    textpage = page.get_textpage()
    rect = raw.FS_RECTF()
    for index in range(textpage.count_chars()):
        code = raw.FPDFText_GetUnicode(textpage, index)
        # PDFium gives a hyphen at a line's end as one of these two, for its own search to skip.
        char = "-" if code in (0x02, 0xFFFE) else chr(code)
        if char.isspace() or not code:
            builder.finish()
            continue
        count += 1
        meaningless += unicodedata.category(char) in MEANINGLESS or char == REPLACEMENT
        text_object = raw.FPDFText_GetTextObject(textpage, index)
        at = address(text_object) if text_object else 0
        if at not in drawn_by:
            drawn_by[at] = not at or raw.FPDFTextObj_GetTextRenderMode(text_object) not in INVISIBLE_MODES
        raw.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(rect))
        edges = rect.left, rect.bottom, rect.right, rect.top
        builder.add(char, edges, drawn_by[at], objects.text_orders.get(at, -1))
    builder.finish()
    textpage.close()
    return builder.words, meaningless / count if count else 0.0


class _Words:
    """Letters joined to words. A word is drawn as its first letter is."""

    def __init__(self, display: Display) -> None:
        self.words: list[LayerWord] = []
        self._display = display
        self._letters: list[str] = []
        self._edges = (0.0, 0.0, 0.0, 0.0)
        self._drawn, self._order = True, 0

    def add(self, char: str, edges: tuple[float, float, float, float], drawn: bool, order: int) -> None:
        if self._letters:
            known = self._edges
            edges = min(known[0], edges[0]), min(known[1], edges[1]), max(known[2], edges[2]), max(known[3], edges[3])
        else:
            self._drawn, self._order = drawn, order
        self._edges = edges
        self._letters.append(char)

    def finish(self) -> None:
        """Turn the letters so far into a word."""
        if self._letters:
            # PDFium counts in UTF-16 units: a pair of surrogates is one character.
            text = "".join(self._letters).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            word = Word(text, self._display.box(*self._edges), 1.0, "text-layer")
            self.words.append(LayerWord(word, self._drawn, self._order))
        self._letters.clear()
