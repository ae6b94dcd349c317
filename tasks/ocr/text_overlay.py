"""Invisible text over the pages of a PDF, each word in its place, with the fonts that it needs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tasks.ocr.coordinates import Display
from tasks.ocr.invisible_font import ADVANCE as FONT_ADVANCE
from tasks.ocr.invisible_font import ASCENT, NAME, UNITS, font_file
from tasks.ocr.invisible_font import DESCENT as FONT_DESCENT
from tasks.ocr.invisible_text import remove_invisible_text
from tasks.ocr.words import PageText, Word

if TYPE_CHECKING:
    from pikepdf import Pdf


INVISIBLE = 3
"""Text rendering mode that neither fills nor strokes (PDF 32000-1, table 106)."""

SYMBOLIC = 4
"""Font flag: its codes are its own, not those of an alphabet (ISO 32000-1, table 123)."""

ADVANCE = FONT_ADVANCE / UNITS
"""Width of every glyph of the invisible font in sizes of the type; words are stretched to their boxes."""

DESCENT = 0.2
"""Height of the base line above a box's lower edge, in its height."""

CODES = 255
"""Characters one font holds; code 0 is left out, for some readers end a string there."""


def lay_over(pdf: "Pdf", texts: list[PageText | None]) -> None:
    """Lay the words that were read by OCR over their pages, invisibly. The pages are changed in place."""
    import pikepdf

    fonts = _Fonts()
    used: list[tuple[Any, set[int]]] = []
    for page, text in zip(pdf.pages, texts, strict=True):
        if text is None or text.source != "ocr" or not any(word.source == "ocr" for word in text.words):
            continue
        if all(word.source == "ocr" for word in text.words):
            remove_invisible_text(pdf, page)
        numbers: set[int] = set()
        stream = b"".join(_page_stream(page, text, fonts, numbers))
        # The page's own content may leave the coordinates turned; what is laid over it must not follow.
        page.contents_add(pikepdf.Stream(pdf, b"q\n"), prepend=True)
        page.contents_add(pikepdf.Stream(pdf, b"\nQ\n" + stream))
        used.append((page, numbers))
    made = [pdf.make_indirect(font) for font in fonts.objects(pdf)]
    for page, numbers in used:
        for number in sorted(numbers):
            page.add_resource(made[number], pikepdf.Name.Font, pikepdf.Name(f"/Invisible{number}"))


def _page_stream(page: Any, text: PageText, fonts: "_Fonts", used: set[int]) -> Iterator[bytes]:
    box = [float(edge) for edge in page.cropbox]
    display = Display((box[0], box[1], box[2], box[3]), int(page.rotation) % 360)
    # A page's box may have been cut or turned round by its maker; words are placed by their share of the page.
    width, height = display.size
    scale = width / text.width, height / text.height
    yield b"q BT %d Tr\n" % INVISIBLE
    for word in text.words:
        # The others are in the page already.
        if word.source == "ocr":
            yield from _word(word, text.rotation, display, scale, fonts, used)
    yield b"ET Q\n"


def _word(
    word: Word, rotation: int, display: Display, scale: tuple[float, float], fonts: "_Fonts", used: set[int]
) -> Iterator[bytes]:
    x0, y0, x1, y1 = word.box[0] * scale[0], word.box[1] * scale[1], word.box[2] * scale[0], word.box[3] * scale[1]
    # Where the word begins, where it ends, and the corner above its beginning, as displayed and as it is read.
    corners = {
        0: ((x0, y1), (x1, y1), (x0, y0)),
        90: ((x1, y1), (x1, y0), (x0, y1)),
        180: ((x1, y0), (x0, y0), (x1, y1)),
        270: ((x0, y0), (x0, y1), (x1, y0)),
    }[rotation]
    (ax, ay), (bx, by), (cx, cy) = (display.inverse(*corner) for corner in corners)
    length, size = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5, ((cx - ax) ** 2 + (cy - ay) ** 2) ** 0.5
    if length < 0.1 or size < 0.1:
        return
    along, up = ((bx - ax) / length, (by - ay) / length), ((cx - ax) / size, (cy - ay) / size)
    origin = ax + up[0] * DESCENT * size, ay + up[1] * DESCENT * size
    stretch = length / (ADVANCE * size * len(word.text))
    yield b"%.5f %.5f %.5f %.5f %.2f %.2f Tm\n" % (along[0] * stretch, along[1] * stretch, *up, *origin)
    # The space after it belongs to the word, so that a reader that trusts spaces alone finds word ends too.
    for number, codes in fonts.runs(word.text + " "):
        used.add(number)
        yield b"/Invisible%d %.2f Tf <%s> Tj\n" % (number, size, codes.hex().encode())


class _Fonts:
    """Simple fonts of 255 characters each, filled in the order in which characters are met."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def runs(self, text: str) -> Iterator[tuple[int, bytes]]:
        """The text as (number of the font, codes in it)."""
        codes = bytearray()
        current = 0
        for char in text:
            number, code = divmod(self._codes.setdefault(char, len(self._codes)), CODES)
            if codes and number != current:
                yield current, bytes(codes)
                codes.clear()
            current = number
            codes.append(code + 1)
        if codes:
            yield current, bytes(codes)

    def objects(self, pdf: "Pdf") -> Iterator[Any]:
        """The fonts' dictionaries. The typeface is never drawn; what counts is the way back to Unicode."""
        import pikepdf

        chars = list(self._codes)
        descriptor = pdf.make_indirect(_descriptor(pdf)) if chars else None
        for start in range(0, len(chars), CODES):
            group = chars[start : start + CODES]
            yield pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.TrueType,
                BaseFont=pikepdf.Name(f"/{NAME}"),
                FontDescriptor=descriptor,
                FirstChar=0,
                LastChar=255,
                Widths=pikepdf.Array([FONT_ADVANCE] * 256),
                ToUnicode=pikepdf.Stream(pdf, _to_unicode(group)),
            )


def _descriptor(pdf: "Pdf") -> Any:
    import pikepdf

    file = pikepdf.Stream(pdf, font_file())
    file.Length1 = len(font_file())
    return pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor,
        FontName=pikepdf.Name(f"/{NAME}"),
        Flags=SYMBOLIC,
        FontBBox=pikepdf.Array([0, FONT_DESCENT, FONT_ADVANCE, ASCENT]),
        ItalicAngle=0,
        Ascent=ASCENT,
        Descent=FONT_DESCENT,
        CapHeight=ASCENT,
        StemV=80,
        FontFile2=pdf.make_indirect(file),
    )


def _to_unicode(chars: list[str]) -> bytes:
    """A CMap from codes to Unicode (PDF 32000-1, 9.10.3); a block maps at most 100 codes."""
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def /CMapName /Invisible def",
        "1 begincodespacerange <00> <ff> endcodespacerange",
    ]
    for start in range(0, len(chars), 100):
        block = chars[start : start + 100]
        lines.append(f"{len(block)} beginbfchar")
        lines += [f"<{start + i + 1:02x}> <{char.encode('utf-16-be').hex()}>" for i, char in enumerate(block)]
        lines.append("endbfchar")
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines).encode()
