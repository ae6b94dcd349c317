"""Tables on a page, told by words that stand in columns over several rows, as rows of CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from tasks.ocr.words import PageText, Word

CELL_GAP = 1.2
"""Words of a cell stand less than this many line heights apart."""

ROWS_MIN, COLUMNS_MIN = 3, 3
"""Fewer rows or columns are an address, a pair of signatures or a list."""

ROW_GAP = 3.0
"""Rows of a table stand less than this many line heights apart."""

SURE = 0.5
"""Mean confidence under which a table's cells are not clear."""


@dataclass
class Cell:
    """Words of one row that stand close together."""

    words: list[Word]

    @property
    def left(self) -> float:
        return self.words[0].box[0]

    @property
    def right(self) -> float:
        return max(word.box[2] for word in self.words)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


Row = list[Cell]


def tables(page: PageText) -> Iterator[list[list[str]]]:
    """Each table as rows of cells, all rows of one length. Pages that lie on their side have none."""
    if page.rotation or not page.words:
        return
    height = median(word.box[3] - word.box[1] for word in page.words)
    for group in _groups(_rows(page.words, height), height):
        columns = _columns(group)
        words = [word for row in group for cell in row for word in cell.words]
        if len(columns) >= COLUMNS_MIN and sum(word.confidence for word in words) / len(words) >= SURE:
            yield [_line(row, columns) for row in group]


def _rows(words: Sequence[Word], height: float) -> list[Row]:
    """Words at one height, from left to right, as cells."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.box[1] + word.box[3]) / 2):
        middle = (word.box[1] + word.box[3]) / 2
        if lines and middle - _middle(lines[-1]) < height / 2:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [_cells(sorted(line, key=lambda word: word.box[0]), height) for line in lines]


def _middle(line: Sequence[Word]) -> float:
    return sum((word.box[1] + word.box[3]) / 2 for word in line) / len(line)


def _cells(line: list[Word], height: float) -> Row:
    cells = [Cell([line[0]])]
    for before, word in pairwise(line):
        if word.box[0] - before.box[2] < CELL_GAP * height:
            cells[-1].words.append(word)
        else:
            cells.append(Cell([word]))
    return cells


def _groups(rows: list[Row], height: float) -> Iterator[list[Row]]:
    """Runs of rows of several cells that follow each other closely."""
    group: list[Row] = []
    for row in rows:
        near = group and row[0].words[0].box[1] - group[-1][0].words[0].box[3] < ROW_GAP * height
        if len(row) >= 2 and (near or not group):
            group.append(row)
            continue
        if len(group) >= ROWS_MIN:
            yield group
        group = [row] if len(row) >= 2 else []
    if len(group) >= ROWS_MIN:
        yield group


def _columns(group: list[Row]) -> list[tuple[float, float]]:
    """Strips that cells of the rows share, from left to right; [] where one cell reaches over two of them."""
    strips: list[tuple[float, float]] = []
    for left, right in sorted((cell.left, cell.right) for row in group for cell in row):
        if strips and left < strips[-1][1]:
            strips[-1] = strips[-1][0], max(strips[-1][1], right)
        else:
            strips.append((left, right))
    clear = all(len({_column(cell, strips) for cell in row}) == len(row) for row in group)
    filled = sum(len(row) for row in group)
    return strips if clear and filled * 2 >= len(strips) * len(group) else []


def _column(cell: Cell, strips: list[tuple[float, float]]) -> int:
    return next(number for number, (left, right) in enumerate(strips) if left <= cell.left <= right)


def _line(row: Row, strips: list[tuple[float, float]]) -> list[str]:
    by_column = {_column(cell, strips): cell.text for cell in row}
    return [by_column.get(number, "") for number in range(len(strips))]
