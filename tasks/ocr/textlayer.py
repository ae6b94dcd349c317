"""The words a PDF page already carries, and whether they are worth having."""

import ctypes
import unicodedata
from typing import TYPE_CHECKING

from tasks.ocr.coordinates import Display
from tasks.ocr.words import Word

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

RUBBISH_SHARE = 0.1
"""Above this share of characters without meaning the layer is not text: a font without a Unicode map gives nearly 1."""

IMAGE_SHARE = 0.5
"""A page covered by pictures to this share is a scan; a short text layer on it is a stamp or a header, not the text."""

SCAN_WORDS = 10
"""Fewer words than this on a scan are not its text. A scan read before carries its whole text, invisibly."""

MEANINGLESS = frozenset({"Cc", "Co", "Cn"})
"""Unicode categories that no reader means: control, private use, unassigned."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def text_layer(page: "PdfPage") -> list[Word]:
    """The words of the page's text layer in the order of the file, or [] where it has none or none of use."""
    words, rubbish = _words(page)
    if not words or rubbish > RUBBISH_SHARE:
        return []
    if len(words) < SCAN_WORDS and image_share(page) >= IMAGE_SHARE:
        return []
    return words


def image_share(page: "PdfPage") -> float:
    """The share of the page's area that pictures cover, those inside form XObjects included (1 at most)."""
    from pypdfium2 import raw

    left, bottom, right, top = page.get_bbox()
    area = max(1e-6, (right - left) * (top - bottom))
    covered = 0.0
    for picture in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,)):
        x0, y0, x1, y1 = picture.get_bounds()
        holder = picture.container
        while holder is not None:
            x0, y0, x1, y1 = holder.get_matrix().on_rect(x0, y0, x1, y1)
            holder = holder.container
        width = min(x1, right) - max(x0, left)
        height = min(y1, top) - max(y0, bottom)
        covered += max(0.0, width) * max(0.0, height)
    return min(1.0, covered / area)


def _words(page: "PdfPage") -> tuple[list[Word], float]:
    """The words in the file's order, and the share of characters that mean nothing."""
    from pypdfium2 import raw

    display = Display(page.get_bbox(), page.get_rotation())
    words: list[Word] = []
    letters: list[str] = []
    edges: list[float] = []
    count = meaningless = 0
    textpage = page.get_textpage()
    rect = raw.FS_RECTF()
    for index in range(textpage.count_chars()):
        code = raw.FPDFText_GetUnicode(textpage, index)
        # PDFium gives a hyphen at a line's end as one of these two, for its own search to skip.
        char = "-" if code in (0x02, 0xFFFE) else chr(code)
        if char.isspace() or not code:
            _finish(words, letters, edges, display)
            continue
        count += 1
        meaningless += unicodedata.category(char) in MEANINGLESS or char == REPLACEMENT
        raw.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(rect))
        if not letters:
            edges[:] = (rect.left, rect.bottom, rect.right, rect.top)
        else:
            edges[:] = (
                min(edges[0], rect.left),
                min(edges[1], rect.bottom),
                max(edges[2], rect.right),
                max(edges[3], rect.top),
            )
        letters.append(char)
    _finish(words, letters, edges, display)
    textpage.close()
    return words, meaningless / count if count else 0.0


def _finish(words: list[Word], letters: list[str], edges: list[float], display: Display) -> None:
    """Turn the letters gathered so far into a word, and begin anew."""
    if letters:
        # PDFium counts in UTF-16 units: a pair of surrogates is one character.
        text = "".join(letters).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        words.append(Word(text, display.box(edges[0], edges[1], edges[2], edges[3]), 1.0, "text-layer"))
    letters.clear()
