"""hOCR: the words and their boxes as HTML (the hOCR 1.2 specification), in pixels at 300 to the inch."""

from collections.abc import Iterator
from html import escape
from itertools import groupby

from tasks.ocr.words import Box, PageText, Word

DPI = 300

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml">
<head><meta charset="utf-8"/><title>hOCR</title>
<meta name="ocr-system" content="offload"/>
<meta name="ocr-capabilities" content="ocr_page ocr_par ocr_line ocrx_word"/></head>
<body>
"""

TAIL = "</body>\n</html>\n"


def hocr_page(page: PageText) -> str:
    """One page as an ocr_page element."""
    return "".join(_page(page))


def _page(page: PageText) -> Iterator[str]:
    whole = _bbox((0, 0, page.width, page.height))
    yield f'<div class="ocr_page" id="page_{page.page}" title="{whole}; ppageno {page.page - 1}; scan_res {DPI} {DPI}">\n'
    for number, block in groupby(page.words, key=lambda word: word.block):
        words = list(block)
        yield f'<p class="ocr_par" id="par_{page.page}_{number}" title="{_round(words)}">\n'
        for line, members in groupby(words, key=lambda word: word.line):
            row = list(members)
            yield f'<span class="ocr_line" id="line_{page.page}_{line}" title="{_round(row)}">'
            yield " ".join(
                f'<span class="ocrx_word" id="word_{page.page}_{word.order}" '
                f'title="{_bbox(word.box)}; x_wconf {round(word.confidence * 100)}">{escape(word.text)}</span>'
                for word in row
            )
            yield "</span>\n"
        yield "</p>\n"
    yield "</div>\n"


def _round(words: list[Word]) -> str:
    """The box round several words."""
    boxes = [word.box for word in words]
    return _bbox(
        (
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )
    )


def _bbox(box: Box) -> str:
    return "bbox " + " ".join(str(round(edge * DPI / 72)) for edge in box)
