"""Rows for a person in a terminal, and the same columns with tabs between for a pipe or a file."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

STYLES = {
    "completed": "green",
    "ok": "green",
    "failed": "red",
    "active": "cyan",
    "retrying": "yellow",
    "paused": "yellow",
    "cancelled": "dim",
    "expired": "dim",
}
"""Colours of the words that say how something is."""


def print_rows(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """Print the rows, or the sentence `empty` where there are none. The first column is never cut, the last one is."""
    if not rows:
        console.print(Text(empty))
        return
    if not console.is_terminal:
        # Straight to the stream: rich folds and cuts what is wider than it thinks the terminal is.
        for row in (columns, *rows):
            # Tabs and line ends within would make other columns and rows.
            print("\t".join(" ".join(cell.split()) for cell in row), file=console.file)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    # Ids are what one copies: on a narrow terminal they fold, and nothing is cut but the last column.
    table.add_column(columns[0], no_wrap=True, min_width=max(len(row[0]) for row in rows))
    for name in columns[1:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(columns[-1], overflow="ellipsis", no_wrap=True)
    for row in rows:
        # Text, not str: a message may hold square brackets, which are markup to rich.
        cells = [Text(cell, style=STYLES.get(cell, "")) for cell in row]
        cells[-1].overflow, cells[-1].no_wrap = "ellipsis", True
        table.add_row(*cells)
    console.print(table)
