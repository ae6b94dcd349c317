"""A real clamd with one signature, and a small server that speaks its protocol, for faults that clamd cannot be made to have."""

import asyncio
import contextlib
import shutil
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.waiting import wait_until

# In two parts, so that no scanner of this machine takes these sources for the test file that it is.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "Eicar-Test-Signature"
STREAM_MAX = 2_000_000

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def real_clamd(folder: Path) -> Iterator[tuple[str, str]]:
    """URLs of a clamd's socket and of its port. Its one signature is EICAR's: the mirrors of the others are not asked."""
    program = shutil.which("clamd")
    if program is None:
        pytest.skip("clamd is not installed here (apt-get install clamav-daemon)")
    database = folder / "signatures"
    database.mkdir()
    (database / "eicar.ndb").write_text(f"{SIGNATURE}:0:*:{EICAR.hex()}\n")
    path, port = folder / "clamd.sock", free_port()
    (folder / "clamd.conf").write_text(
        f"DatabaseDirectory {database}\nLocalSocket {path}\nTCPSocket {port}\nTCPAddr 127.0.0.1\n"
        f"TemporaryDirectory {folder}\nForeground yes\nStreamMaxLength {STREAM_MAX}\n"
    )
    with (folder / "clamd.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(folder / "clamd.conf")], stdout=log, stderr=log)
    try:
        wait_until(lambda: _replies(path, port) or process.poll() is not None)
        assert process.poll() is None, (folder / "clamd.log").read_text()
        yield f"clamd+unix://{path}", f"clamd://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _replies(path: Path, port: int) -> bool:
    """True once both of its addresses take commands: the socket's file is there before it does."""
    try:
        for family, address in ((socket.AF_UNIX, str(path)), (socket.AF_INET, ("127.0.0.1", port))):
            with socket.socket(family) as connection:
                connection.connect(address)
                connection.sendall(b"zPING\0")
                if connection.recv(16) != b"PONG\0":
                    return False
    except OSError:
        return False
    return True


@asynccontextmanager
async def speaking(folder: Path, behaviour: Behaviour) -> AsyncIterator[str]:
    """URL of a server that behaves so on each connection."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await behaviour(reader, writer)
        writer.close()

    path = folder / "scanner.sock"
    server = await asyncio.start_unix_server(connected, path)
    async with server:
        yield f"clamd+unix://{path}"
    path.unlink(missing_ok=True)


async def stream_of(reader: asyncio.StreamReader) -> bytes:
    """The bytes of an INSTREAM command, as clamd reads it."""
    assert await reader.readexactly(10) == b"zINSTREAM\0"
    found = b""
    while size := struct.unpack("!L", await reader.readexactly(4))[0]:
        found += await reader.readexactly(size)
    return found


async def verdicts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As clamd does with its one signature."""
    found = EICAR in await stream_of(reader)
    writer.write(f"stream: {SIGNATURE} FOUND\0".encode() if found else b"stream: OK\0")
    await writer.drain()


async def too_long(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As clamd does beyond its StreamMaxLength: it says so in the middle, and closes with bytes that it has not read."""
    await reader.readexactly(1_000)
    writer.write(b"INSTREAM size limit exceeded. ERROR\0")
    await writer.drain()


async def closing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Close in the middle of the stream, without a word."""
    await reader.readexactly(20)


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Read everything, and never reply."""
    await stream_of(reader)
    await reader.read()


async def failing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reply with an error of its own."""
    await stream_of(reader)
    writer.write(b"stream: Can't allocate memory ERROR\0")
    await writer.drain()
