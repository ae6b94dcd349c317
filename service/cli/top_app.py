"""The tables of `offload top`, and its keys."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import ClassVar

from redis.exceptions import RedisError
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Static

from service.cli.top_figures import TopFigures, job_row, queue_row, read_figures, worker_row
from service.cli.top_screens import Question, Tail
from service.engine.store import NoSuchJob, Store, WrongState
from settings.queues import Queue

EVERY_S = 1.0

Record = Callable[[str, str, str], Awaitable[None]]
"""Write an action on a kind of thing and its id into the audit log."""

Rows = Iterable[tuple[str, Sequence[str]]]


class Top(App[None]):
    """Queues, workers and jobs, read again each second. A row keeps its cursor wherever it moves."""

    TITLE = "Offload"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        ("p", "pause", "Pause/resume"),
        ("r", "retry", "Retry"),
        ("c", "cancel", "Cancel"),
        ("t", "tail", "Tail"),
        ("tab", "app.focus_next", "Next table"),
        ("q", "quit", "Quit"),
    ]
    CSS = """
    #connection { height: 1; background: $primary; }
    #connection.lost { background: $error; }
    DataTable { height: auto; }
    #workers { max-height: 6; }
    #jobs { height: 1fr; }
    #notice { height: 1; }
    """

    def __init__(self, store: Store, record: Record) -> None:
        super().__init__()
        self.store, self.record = store, record
        self.lost_since: datetime | None = None
        self.connected = False

    def compose(self) -> ComposeResult:
        yield Static("Connecting", id="connection", markup=False)
        for name in ("queues", "workers", "jobs"):
            yield DataTable(id=name, cursor_type="row", cell_padding=1)
        yield Static("", id="notice", markup=False)
        yield Footer()

    async def on_mount(self) -> None:
        self._table("queues").add_columns("queue", "waiting", "running", "retrying", "failed", "workers", "note")
        self._table("workers").add_columns("worker", "queue", "jobs", "memory", "note")
        self._table("jobs").add_columns("job", "state", "progress", "message")
        self._table("queues").focus()
        self.set_interval(EVERY_S, self.refresh_figures)
        self.refresh_figures()

    @work(exclusive=True, group="figures")
    async def refresh_figures(self) -> None:
        """Read and show the figures, or say since when there is no connection."""
        bar = self.query_one("#connection", Static)
        try:
            figures = await read_figures(self.store)
        except (RedisError, OSError):
            self.lost_since = self.lost_since or datetime.now()
            self.connected = False
            bar.set_class(True, "lost")
            bar.update(
                f"No connection to the queue server since {self.lost_since:%H:%M:%S}, trying again. Figures are old."
            )
            return
        self.lost_since, self.connected = None, True
        bar.set_class(False, "lost")
        bar.update(f"Offload  {datetime.fromtimestamp(figures.at_ms / 1000):%H:%M:%S}")
        self._show(figures)

    def _show(self, figures: TopFigures) -> None:
        self._fill("queues", ((str(queue), queue_row(figures, str(queue))) for queue in Queue))
        self._fill("workers", ((worker.id, worker_row(figures, worker)) for worker in figures.workers))
        self._fill("jobs", ((job.id, job_row(job)) for job in figures.jobs))

    def _fill(self, name: str, rows: Rows) -> None:
        table = self._table(name)
        chosen, top = self._chosen(name), table.scroll_y
        table.clear()
        for key, cells in rows:
            # Text, not str: a message may hold square brackets, which are markup to the table.
            table.add_row(*map(Text, cells), key=key)
        if chosen in table.rows:
            table.move_cursor(row=table.get_row_index(chosen), scroll=False)
        table.scroll_to(y=top, animate=False)

    def _table(self, name: str) -> "DataTable[Text]":
        return self.query_one(f"#{name}", DataTable)

    def _chosen(self, name: str) -> str:
        """Key of the row under the cursor of that table; empty where it has none."""
        table = self._table(name)
        if not table.is_valid_coordinate(table.cursor_coordinate):
            return ""
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value or ""

    def _job(self) -> str:
        """The chosen job, where the jobs are what the keys are about."""
        job_id = self._chosen("jobs")
        if not job_id:
            self.show_notice("There is no job to choose.")
        return job_id

    def show_notice(self, sentence: str) -> None:
        """Show what came of a key."""
        self.query_one("#notice", Static).update(sentence)

    @work
    async def action_pause(self) -> None:
        """Pause the chosen queue, or resume it."""
        queue = self._chosen("queues")
        if not queue:
            return
        if "pause" in await self.store.controls.holds(queue):
            await self._act(lambda: self.store.controls.remove(queue, "pause"), "queue.resumed", "queue", queue)
        elif await self._answer(f"Pause {queue}? Running jobs go on."):
            await self._act(
                lambda: self.store.controls.set(queue, "pause", reason="paused by `offload top`", by="cli"),
                "queue.paused",
                "queue",
                queue,
            )

    @work
    async def action_retry(self) -> None:
        """Queue the chosen job again."""
        if job_id := self._job():
            await self._act(lambda: self.store.retry(job_id), "job.retried", "job", job_id)

    @work
    async def action_cancel(self) -> None:
        """Stop the chosen job, if so answered."""
        job_id = self._job()
        if job_id and await self._answer(f"Cancel {job_id}?"):
            await self._act(lambda: self.store.cancel(job_id), "job.cancelled", "job", job_id)

    def action_tail(self) -> None:
        """Follow the log of the chosen job."""
        if job_id := self._job():
            self.push_screen(Tail(self.store, job_id))

    async def _answer(self, question: str) -> bool:
        return await self.push_screen_wait(Question(question))

    async def _act(self, act: Callable[[], Awaitable[object]], action: str, kind: str, target: str) -> None:
        try:
            await act()
        except NoSuchJob:
            self.show_notice(f"{target} is deleted.")
        except (WrongState, ValueError) as error:
            self.show_notice(f"{error}."[:1].upper() + f"{error}."[1:])
        except (RedisError, OSError) as error:
            self.show_notice(f"The queue server does not answer: {error}")
        else:
            self.show_notice(f"{target} is {action.partition('.')[2]}.")
            await self.record(action, kind, target)
            self.refresh_figures()
