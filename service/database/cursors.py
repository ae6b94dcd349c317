"""Cursors of lists that stand newest first: where a page ended, as an opaque word."""

import base64
from datetime import UTC, datetime

Position = tuple[datetime, str]
"""When a row was made, and its id: two rows may be of the same instant."""


def cursor_after(position: Position) -> str:
    """The cursor of the page that begins below a row."""
    moment, row_id = position
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {row_id}".encode()).decode()


def position_of(cursor: str) -> Position:
    """The row that a page begins below. Raises ValueError for a cursor that no list has given out."""
    try:
        moment, _, row_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        found = datetime.fromisoformat(moment).astimezone(UTC), row_id
        # PostgreSQL has no place for a NUL, and no id of ours has anything but letters.
        if not row_id.isprintable():
            raise ValueError(row_id)
        return found
    except (ValueError, OverflowError):
        raise ValueError("This page's address has a cursor that leads nowhere: begin again at the newest.") from None
