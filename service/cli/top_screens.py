"""Screens of `offload top` over its tables: a question, and a job's log."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from redis.exceptions import RedisError
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, RichLog, Static

from service.engine.store import LogLine, NoSuchJob, Store

POLL_S = 0.5
"""Between two looks at a log: the worker sends lines twice a second."""


class Question(ModalScreen[bool]):
    """Question over the tables: y returns True, n and Escape return False."""

    BINDINGS: ClassVar[list[BindingType]] = [("y", "dismiss(True)", "Yes"), ("n,escape", "dismiss(False)", "No")]
    CSS = """
    Question { align: center middle; }
    Question Static { width: 70; border: round $warning; padding: 1 2; background: $surface; }
    """

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence

    def compose(self) -> ComposeResult:
        yield Static(f"{self.sentence}  y / n", markup=False)


class Tail(Screen[None]):
    """The log and the progress of a job, as they come."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,t", "dismiss", "Back")]
    CSS = "Tail Static { height: 1; background: $primary; } Tail RichLog { height: 1fr; }"

    def __init__(self, store: Store, job_id: str) -> None:
        super().__init__()
        self.store, self.job_id = store, job_id
        self.shown: Sequence[LogLine] = []

    def compose(self) -> ComposeResult:
        yield Static(self.job_id, id="state", markup=False)
        yield RichLog(wrap=True, markup=False, id="lines")
        yield Footer()

    async def on_mount(self) -> None:
        self.set_interval(POLL_S, self.refresh_lines)
        await self.refresh_lines()

    async def refresh_lines(self) -> None:
        """Add the lines that are new."""
        state = self.query_one("#state", Static)
        try:
            job, lines = await self.store.present(self.job_id), await self.store.log(self.job_id)
        except NoSuchJob:
            state.update(f"{self.job_id} is deleted.")
            return
        except (RedisError, OSError):
            state.update(f"{self.job_id}: no connection to the queue server, trying again")
            return
        state.update(f"{job.id}  {job.state}  {job.progress} %  {job.error or job.message}")
        log = self.query_one("#lines", RichLog)
        for line in _unseen(self.shown, lines):
            clock = datetime.fromtimestamp(line.at_ms / 1000).astimezone().strftime("%H:%M:%S")
            fields = " ".join(f"{name}={value}" for name, value in line.fields.items())
            log.write(f"{clock} {line.level:<7} {line.event} {fields}".rstrip())
        self.shown = lines


def _unseen(shown: Sequence[LogLine], lines: Sequence[LogLine]) -> Sequence[LogLine]:
    """Lines behind those that were shown: the log grows at its end, and drops its oldest lines."""
    for at in range(len(shown)):
        overlap = shown[at:]
        if list(lines[: len(overlap)]) == list(overlap):
            return lines[len(overlap) :]
    return lines
