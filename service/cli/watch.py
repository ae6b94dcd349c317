"""`offload watch`: takes in the files that are put into a folder, and moves them into `processed` or `failed`.

Killed at any moment it makes no second document and no second job when it is started again: what was sent and not moved is
found by its bytes.
"""

import logging
import os
import signal
import threading
import time
from pathlib import Path

import click
import structlog
import watchfiles

from service.cli.client import Api, CliError, Denied, Unavailable
from service.cli.intake import Intake, files_below, reason_against, take_in
from service.cli.options import on_server
from settings import load_settings

log = structlog.get_logger("offload.watch")

PROCESSED, FAILED = "processed", "failed"

RESCAN_S = 30.0
"""Seconds between two looks at all files without an event: network file systems send none."""

STEP_MS = 500
"""Milliseconds after which a file that settles is checked again."""

WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before the next try while the server is away; the last one repeats."""


@click.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--job", default="pdf-ocr", show_default=True, metavar="TYPE", help="Job for each file; none: only store it."
)
@click.option("--priority", type=click.Choice(["high", "normal", "low"]), default="normal", show_default=True)
@click.option(
    "--settle", type=click.FloatRange(0.1, 3600), metavar="SECONDS", help="Time in which a file must not change."
)
@click.option("--once", is_flag=True, help="Take in what is there, and end.")
@on_server
def watch(api: Api, folder: Path | None, job: str, priority: str, settle: float | None, once: bool) -> None:
    """Take in files that are put into FOLDER, by default OFFLOAD_WATCH_DIR, until Ctrl-C or SIGTERM.

    A file that was taken is moved into `processed`, one that was refused into `failed`, with the reason in a file of its
    name and .txt. Files whose names begin with a dot or end in .part or .tmp are left alone: write such a one and rename it.

    Example: offload watch /srv/scans
    """
    settings = load_settings()
    folder = (folder or settings.watch_dir or _missing()).absolute()
    if folder == settings.data_dir or folder in settings.data_dir.parents:
        raise CliError(f"{folder} holds the data folder of Offload: watch another folder.")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    # Its own line for each batch of events.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    watcher = Watcher(api, folder, settle or settings.watch_settle_s, job=job, priority=priority)
    log.info("watch.started", folder=str(folder))
    try:
        watcher.run_once(stopped) if once else watcher.run(stopped)
    except OSError as error:
        raise CliError(f"{folder} cannot be watched: {error.strerror or error}.") from None


def _missing() -> Path:
    raise CliError("Name a folder, or set OFFLOAD_WATCH_DIR.")


class Watcher:
    """Looks at the files of a folder, and takes in those that have settled."""

    def __init__(self, api: Api, folder: Path, settle_s: float, *, job: str, priority: str) -> None:
        self.api = api
        self.folder = folder
        self.settle_s = settle_s
        self.job = job
        self.priority = priority
        self.seen: dict[Path, tuple[tuple[int, int, int], float]] = {}
        """Files that settle, with their inode, size and time of change, and since when these have been the same."""

    def run(self, stopped: threading.Event) -> None:
        """Take in what comes until `stopped`. Raises OSError where the folder cannot be used."""
        self.make_folders()
        checked = 0.0
        events = watchfiles.watch(
            self.folder, stop_event=stopped, rust_timeout=STEP_MS, yield_on_timeout=True, raise_interrupt=False
        )
        for changes in events:
            if changes or self.seen or not checked or time.monotonic() - checked > RESCAN_S:
                self.check(stopped)
                checked = time.monotonic()

    def run_once(self, stopped: threading.Event) -> None:
        """Take in what is there."""
        self.make_folders()
        while not stopped.is_set():
            self.check(stopped)
            if not self.seen:
                return
            stopped.wait(STEP_MS / 1000)

    def make_folders(self) -> None:
        """Make the folder and those within it that files are moved to."""
        for name in (PROCESSED, FAILED):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def check(self, stopped: threading.Event) -> None:
        """Check every file once, and take in those that have not changed for `settle_s`."""
        leave_out = frozenset({self.folder / PROCESSED, self.folder / FAILED})
        now, before, self.seen = time.monotonic(), self.seen, {}
        for path in files_below(self.folder, leave_out):
            if stopped.is_set():
                return
            if (form := _form(path)) is None:
                continue
            form_before, since = before.get(path, (None, now))
            if form_before == form and now - since >= self.settle_s:
                self.take(path, form, stopped)
            else:
                self.seen[path] = (form, since if form_before == form else now)

    def take(self, path: Path, form: tuple[int, int, int], stopped: threading.Event) -> None:
        """Take one file in and move it. Waits while the server is away."""
        try:
            taken = self._taken(path, stopped)
        except Denied as error:
            self._fail(path, str(error))
        except OSError as error:
            self._fail(path, f"It cannot be read: {error.strerror or error}.")
        else:
            if taken is None:
                return
            if _form(path) != form:
                # It was written to in the meantime: what came is a document of its own, and the file is checked again.
                log.warning("watch.changed", file=path.name)
                self.seen[path] = (_form(path) or form, time.monotonic())
                return
            moved = self._moved(path, PROCESSED)
            log.info("watch.taken", file=moved.name, outcome=taken.outcome, document=taken.file_id, job=taken.job_id)

    def _taken(self, path: Path, stopped: threading.Event) -> Intake | None:
        """Result for a file; None where it is stopped before there is one."""
        if reason := reason_against(path):
            raise Denied(reason)
        tries = 0
        while not stopped.is_set():
            try:
                return take_in(self.api, path, job=self.job, priority=self.priority, again=False)
            except Unavailable as error:
                log.warning("watch.waits", file=path.name, reason=str(error))
                stopped.wait(WAITS_S[min(tries, len(WAITS_S) - 1)])
                tries += 1
        return None

    def _fail(self, path: Path, sentence: str) -> None:
        """Move a file into `failed`, with the sentence next to it."""
        if _form(path) is None:
            return
        moved = self._moved(path, FAILED, sentence)
        log.warning("watch.refused", file=moved.name, reason=sentence)

    def _moved(self, path: Path, where: str, sentence: str = "") -> Path:
        """Move a file, with the folders that it lies in, to a name that none has there; a sentence goes next to it."""
        target = self.folder / where / path.relative_to(self.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        number, free = 1, target
        while os.path.lexists(free) or os.path.lexists(_reason_of(free)):
            number += 1
            free = target.with_name(f"{target.stem}-{number}{target.suffix}")
        if sentence:
            # First: killed in between, the file is still to be refused, and not without its reason.
            _reason_of(free).write_text(f"{sentence}\n", encoding="utf-8")
        path.rename(free)
        return free


def _reason_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.txt")


def _form(path: Path) -> tuple[int, int, int] | None:
    """Inode, size and time of change of a file; None where it is not there."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
