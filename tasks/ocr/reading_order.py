"""Reading order: words into lines, lines into columns, columns and what spans them from top to bottom.

A gutter is a vertical strip that few line pieces cross and that has several on either side. What crosses it (a
headline) cuts the page into bands; in each band the left column is read before the right one, and each column is
looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from tasks.ocr.words import Box, Word

JOIN = 0.9
"""Words of a line stand less than this many line heights apart: justified text reaches 0.7, gutters begin at 1."""

OVERLAP = 0.5
"""Two boxes are on the same line when they share this much of the smaller one's height."""

COLUMN_LINES = 3
"""A column has at least this many line pieces; two are a table's row or a pair of addresses."""

COLUMN_WORDS = 2.0
"""Pieces of running text have more words than this on average; a table's cells, to be read across, have fewer."""

SPANNING = 0.34
"""At most this share of the pieces may cross a gutter: headlines and pictures' captions do, body text does not."""

WIDE = 0.5
WIDER = 2.0
"""A space over the gutter of this many line heights, and this much wider than the others of its line, parts two columns
set very close."""

PARAGRAPH = 0.8
"""A gap between lines of more than this many line heights begins a new block."""


@dataclass
class Piece:
    """Words standing close together on one line."""

    words: list[Word]
    box: Box = field(init=False)

    def __post_init__(self) -> None:
        boxes = [word.box for word in self.words]
        self.box = (
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )


def reading_order(words: Sequence[Word]) -> list[Word]:
    """The words in reading order, with `order`, `line` and `block` set."""
    words = [word for word in words if word.text]
    if not words:
        return []
    height = median(word.box[3] - word.box[1] for word in words) or 1.0
    ordered: list[Word] = []
    line = block = -1
    for column in columns(pieces(words, height), height):
        bottom: float | None = None
        for row in rows(column):
            top = min(piece.box[1] for piece in row)
            line += 1
            if bottom is None or top - bottom > PARAGRAPH * height:
                block += 1
            bottom = max(piece.box[3] for piece in row)
            for word in (word for piece in row for word in piece.words):
                word.order, word.line, word.block = len(ordered), line, block
                ordered.append(word)
    return ordered


def pieces(words: Sequence[Word], height: float) -> list[Piece]:
    """Join each word to the piece that ends closest on its left on the same line."""
    open_pieces: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.box[0]):
        best: list[Word] | None = None
        for piece in open_pieces:
            last = piece[-1].box
            gap = word.box[0] - last[2]
            # A big headline has wider spaces than the page's median line.
            near = JOIN * max(height, min(last[3] - last[1], word.box[3] - word.box[1]))
            closest = best is None or last[2] > best[-1].box[2]
            if gap < near and closest and _same_line(last, word.box):
                best = piece
        if best is None:
            open_pieces.append([word])
        else:
            best.append(word)
    return [Piece(piece) for piece in open_pieces]


def columns(page: list[Piece], height: float) -> list[list[Piece]]:
    """The pieces as a list of columns (or of bands between columns) in reading order."""
    gutter = _gutter(page, height)
    if gutter is None:
        return [page]
    page = [part for piece in page for part in _split(piece, gutter, height)]
    # Lines of a ragged or crooked column reach a little over the gutter; what spans it reaches far over it both ways.
    across = [piece for piece in page if _spans(piece, gutter, height)]
    across.sort(key=lambda piece: _middle(piece.box))
    left: list[Piece] = []
    right: list[Piece] = []
    for piece in page:
        if not _spans(piece, gutter, height):
            (left if piece.box[0] + piece.box[2] < 2 * gutter else right).append(piece)
    found: list[list[Piece]] = []
    for spanning in [*across, None]:
        limit = _middle(spanning.box) if spanning else float("inf")
        for side in (left, right):
            above = [piece for piece in side if _middle(piece.box) < limit]
            side[:] = [piece for piece in side if _middle(piece.box) >= limit]
            if above:
                found.extend(columns(above, height))
        if spanning:
            found.append([spanning])
    return _merge_bands(found, gutter, height)


def rows(column: list[Piece]) -> list[list[Piece]]:
    """A column's pieces as lines from top to bottom, each from left to right."""
    lines: list[list[Piece]] = []
    for piece in sorted(column, key=lambda piece: _middle(piece.box)):
        if lines and _same_line(lines[-1][-1].box, piece.box):
            lines[-1].append(piece)
        else:
            lines.append([piece])
    for line in lines:
        line.sort(key=lambda piece: piece.box[0])
    return lines


def _gutter(page: list[Piece], height: float) -> float | None:
    """The x of the best gutter, or None where the pieces stand in one column."""
    best: tuple[float, float] | None = None
    for candidate in page:
        x = candidate.box[2]
        left = [piece for piece in page if piece.box[2] <= x]
        right = [piece for piece in page if piece.box[0] >= x]
        crossing = len(page) - len(left) - len(right)
        if min(len(left), len(right)) < COLUMN_LINES or crossing > SPANNING * len(page):
            continue
        if min(_words_each(left), _words_each(right)) <= COLUMN_WORDS or not _side_by_side(left, right):
            continue
        score = min(len(left), len(right)) - 2 * crossing
        if best is None or score > best[0]:
            best = score, (x + min(piece.box[0] for piece in right)) / 2
    return best[1] if best else None


def _split(piece: Piece, gutter: float, height: float) -> list[Piece]:
    """A piece that runs on over the gutter, parted there, if its words stand wider apart there than elsewhere in it."""
    if not piece.box[0] < gutter < piece.box[2]:
        return [piece]
    left = [word for word in piece.words if word.box[0] + word.box[2] < 2 * gutter]
    right = piece.words[len(left) :]
    gaps = [after.box[0] - before.box[2] for before, after in pairwise(piece.words)]
    if not left or not right or len(gaps) < 2:
        return [piece]
    here = gaps.pop(len(left) - 1)
    apart = left[-1].box[2] - 0.5 * height < gutter < right[0].box[0] + 0.5 * height
    wide = here > WIDE * height and here > WIDER * median(gaps)
    return [Piece(left), Piece(right)] if apart and wide else [piece]


def _side_by_side(left: list[Piece], right: list[Piece]) -> bool:
    """True where the two are side by side for some lines, and not one below the other."""
    top = max(min(piece.box[1] for piece in side) for side in (left, right))
    bottom = min(max(piece.box[3] for piece in side) for side in (left, right))
    return all(sum(top <= _middle(piece.box) <= bottom for piece in side) >= COLUMN_LINES - 1 for side in (left, right))


def _merge_bands(found: list[list[Piece]], gutter: float, height: float) -> list[list[Piece]]:
    """Join neighbours that both span the gutter, so that a headline of two lines stays one block."""
    merged: list[list[Piece]] = []
    before = False
    for band in found:
        spans = any(_spans(piece, gutter, height) for piece in band)
        if spans and before:
            merged[-1].extend(band)
        else:
            merged.append(band)
        before = spans
    return merged


def _spans(piece: Piece, gutter: float, height: float) -> bool:
    return piece.box[0] < gutter - height and piece.box[2] > gutter + height


def _words_each(side: list[Piece]) -> float:
    return sum(len(piece.words) for piece in side) / len(side)


def _same_line(one: Box, other: Box) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return shared > OVERLAP * min(one[3] - one[1], other[3] - other[1])


def _middle(box: Box) -> float:
    return (box[1] + box[3]) / 2
