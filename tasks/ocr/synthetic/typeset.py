"""Text set on pages of a PDF with PDFium and its built-in standard fonts."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

A4 = (595.0, 842.0)
"""Width and height in points."""

LEADING = 1.3
"""Distance of base lines in sizes of the type."""


@dataclass(frozen=True)
class Style:
    """A typeface of the standard 14 and its size in points."""

    font: str = "Times-Roman"
    size: float = 11.0


@dataclass(frozen=True)
class Run:
    """Text to set: `text` is broken into lines within `columns` columns, starting below what came before."""

    text: Sequence[str]
    style: Style = Style()
    columns: int = 1


class Typesetter:
    """A PDF in the making."""

    def __init__(self, *, size: tuple[float, float] = A4, margin: float = 62.0, gutter: float = 24.0) -> None:
        import pypdfium2

        self._pdf = pypdfium2.PdfDocument.new()
        self._size, self._margin, self._gutter = size, margin, gutter
        self._fonts: dict[str, Any] = {}

    def page(self, runs: Sequence[Run]) -> str:
        """Set one page and return its text in reading order. Raises ValueError where it does not fit."""
        page = self._pdf.new_page(*self._size)
        top = self._size[1] - self._margin
        lines: list[str] = []
        for run in runs:
            top = self._set(page, run, top, lines)
        page.gen_content()
        page.close()
        return "\n".join(lines)

    def save(self) -> bytes:
        """The PDF, with its text as text."""
        file = BytesIO()
        self._pdf.save(file)
        self._pdf.close()
        return file.getvalue()

    def _set(self, page: Any, run: Run, top: float, lines: list[str]) -> float:
        """Set a run below `top`; returns where the next one may begin."""
        width = (self._size[0] - 2 * self._margin - (run.columns - 1) * self._gutter) / run.columns
        broken = [line for text in run.text for line in [*self._break(text, run.style, width), ""]]
        step = run.style.size * LEADING
        per_column = -(-len(broken) // run.columns)
        if top - per_column * step < self._margin:
            raise ValueError("the text does not fit the page")
        for number, line in enumerate(broken):
            column, row = divmod(number, per_column)
            if line:
                self._draw(
                    page, line, run.style, self._margin + column * (width + self._gutter), top - (row + 1) * step
                )
                lines.append(line)
        return top - (per_column + 0.5) * step

    def _break(self, text: str, style: Style, width: float) -> list[str]:
        lines: list[str] = []
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self._width(longer, style) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        return [*lines, line]

    def _width(self, text: str, style: Style) -> float:
        from pypdfium2 import raw

        font = self._font(style.font)
        total, width = 0.0, ctypes.c_float()
        for char in text:
            raw.FPDFFont_GetGlyphWidth(font, ord(char), style.size, width)
            total += width.value
        return total

    def _font(self, name: str) -> Any:
        from pypdfium2 import raw

        if name not in self._fonts:
            self._fonts[name] = raw.FPDFText_LoadStandardFont(self._pdf, name.encode())
        return self._fonts[name]

    def _draw(self, page: Any, text: str, style: Style, x: float, y: float) -> None:
        from pypdfium2 import raw

        piece = raw.FPDFPageObj_CreateTextObj(self._pdf, self._font(style.font), style.size)
        encoded = (text + "\0").encode("utf-16-le")
        raw.FPDFText_SetText(piece, ctypes.cast(ctypes.create_string_buffer(encoded), raw.FPDF_WIDESTRING))
        raw.FPDFPageObj_Transform(piece, 1, 0, 0, 1, x, y)
        raw.FPDFPage_InsertObject(page, piece)
