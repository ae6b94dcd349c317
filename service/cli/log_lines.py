"""Output of the children of `offload up`, for a person to read in one terminal."""

import json
import os
import signal
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

NAME_WIDTH = 14
"""As wide as the longest queue name."""

COLOURS = {"web": "blue", "valkey": "magenta", "mail": "yellow"}
LEVELS = {"warning": "yellow", "error": "red", "critical": "red"}


class Terminal(Console):
    """A console whose end is a hang-up: once its reader has gone, stop in order instead of exiting at once."""

    def on_broken_pipe(self) -> None:
        """Called by rich where the reader of a pipe has gone."""
        hang_up()


class LogLines:
    """Prints each line of each child with the child's name before it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, name: str, line: str) -> None:
        """Print one line; a JSON object is an event and is written as a sentence."""
        head = Text(f"{name:<{NAME_WIDTH}} │ ", style=COLOURS.get(name, "cyan"))
        event = event_of(line)
        body = (
            Text.from_ansi(line)
            if event is None
            else Text(readable(event), style=LEVELS.get(str(event.get("level")), ""))
        )
        try:
            self._console.print(head + body, soft_wrap=True, highlight=False)
        except OSError:
            hang_up()


def hang_up() -> None:
    """Do as if the terminal had been closed, which is what an error in writing to it means."""
    fall_silent()
    signal.raise_signal(signal.SIGHUP)


def fall_silent() -> None:
    """From now on nothing that is printed goes anywhere, and no printing fails."""
    with open(os.devnull, "wb") as nowhere:
        for descriptor in (1, 2):
            os.dup2(nowhere.fileno(), descriptor)


def event_of(line: str) -> dict[str, Any] | None:
    """The event that a line of structured log holds, or None for any other line."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def readable(event: dict[str, Any]) -> str:
    """`12:01:07 the event  key=value …`, the time in this machine's zone, a traceback on lines of its own."""
    fields = dict(event)
    words = [_clock(fields.pop("timestamp", None)), str(fields.pop("event"))]
    fields.pop("level", None)
    traceback = fields.pop("exception", None)
    words += [f"{key}={value}" for key, value in fields.items()]
    return " ".join(filter(None, words)) + (f"\n{traceback}" if traceback else "")


def _clock(timestamp: object) -> str:
    try:
        return datetime.fromisoformat(str(timestamp)).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return ""
