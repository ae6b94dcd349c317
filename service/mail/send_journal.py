"""Progress of each claimed delivery, in a file that survives the process.

The database cannot be asked in the instant before the final dot; a local write can be made in it, some microseconds before
the dot itself. So a worker that was killed leaves behind, for each message it had claimed, one of three testimonies:
no dot was sent; the dot was sent; or what the server answered. They are evidence only while the machine has not been
restarted since (what was written may not have reached the disk) and once the process is known to be dead (its lock is
free). A reader that finds no evidence treats the delivery as being in doubt.
"""

import contextlib
import fcntl
import os
import re
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from service.mail.smtp_transaction import Reply

COMPACT_BYTES = 1 << 20
"""A journal in which nothing is open any more is emptied when it has grown so large."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

UNKNOWN = b"unknown"
"""On a system that does not tell its boots apart a journal is never evidence."""


class _Line(msgspec.Struct, omit_defaults=True):
    claim: str
    reply: Reply | None = None


@dataclass(slots=True)
class JournalState:
    """Claims in a journal: those whose dot was sent, with the server's answer where one came."""

    dotted: dict[str, Reply | None] = field(default_factory=dict)


class Journal:
    """Journal of this process, made when first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:60]
        self.id = f"{host}.{os.getpid()}.{secrets.token_hex(6)}"
        self.open_claims: set[str] = set()
        self.state = JournalState()
        self._file: int | None = None

    def begin(self, claim: str) -> None:
        """A delivery was claimed in this journal's name."""
        self.open_claims.add(claim)

    def dot_follows(self, claim: str) -> None:
        """The next thing that this process does is to send the final dot. Returns with the mark in the kernel's hands."""
        self.state.dotted[claim] = None
        self._append(_Line(claim))

    def answered(self, claim: str, reply: Reply) -> None:
        """The server has answered."""
        self.state.dotted[claim] = reply
        self._append(_Line(claim, reply))

    def settled(self, claim: str) -> None:
        """The database has the claim's outcome."""
        self.open_claims.discard(claim)
        self.state.dotted.pop(claim, None)
        if self._file is not None and not self.open_claims and os.fstat(self._file).st_size > COMPACT_BYTES:
            os.ftruncate(self._file, 0)
            os.write(self._file, _header())

    def start(self) -> None:
        """Make and lock the file. Raises OSError where the folder cannot be written."""
        if self._file is not None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = _path(self.folder, self.id)
        aside = path.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(descriptor, _header())
        # It appears locked: another process must not take it for a dead one's while it is being made.
        aside.rename(path)
        self._file = descriptor

    def _append(self, line: _Line) -> None:
        if self._file is None:
            raise RuntimeError("the journal has not been started")
        os.write(self._file, msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Give up the lock, and the file unless something in it may still be asked for."""
        if self._file is not None:
            if not self.open_claims:
                _path(self.folder, self.id).unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def evidence_of(folder: Path, journal_id: str) -> JournalState | None:
    """Journal of a dead process; None where there is no evidence (yet): its process lives, the machine was
    restarted since, or the journal is another machine's."""
    try:
        descriptor = os.open(_path(folder, journal_id), os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return _read(file.read())
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _read(data: bytes) -> JournalState | None:
    header, *lines = data.split(b"\n")
    if header + b"\n" != _header() or header.endswith(UNKNOWN):
        return None
    state = JournalState()
    for raw in lines:
        # The last line may be torn; a dot that was not announced whole was not sent.
        with contextlib.suppress(msgspec.DecodeError):
            line = msgspec.json.decode(raw, type=_Line)
            state.dotted[line.claim] = line.reply
    return state


def abandoned(folder: Path) -> Iterator[str]:
    """Ids of the journals whose processes have ended."""
    for path in folder.glob("*.journal") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                yield path.stem
            finally:
                os.close(descriptor)


def discard(folder: Path, journal_id: str) -> None:
    """Remove a journal that is not needed any more."""
    _path(folder, journal_id).unlink(missing_ok=True)


def _path(folder: Path, journal_id: str) -> Path:
    return folder / f"{journal_id}.journal"


def _header() -> bytes:
    try:
        boot = BOOT_ID.read_bytes().strip()
    except OSError:
        boot = UNKNOWN
    return b"boot " + boot + b"\n"
