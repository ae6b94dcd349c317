"""The one command of clamd that a service needs: INSTREAM, over TCP or a socket of this machine.

Of the libraries for it aioclamd sends a kilobyte at a time, each by way of a thread, and knows no sockets; the others block.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

PORT = 3310
PIECE_BYTES = 1 << 20
"""Bytes of one piece: far below any StreamMaxLength."""

REPLY_MAX = 4_096
FOUND = re.compile(r"stream: (?P<signature>.+) FOUND")


class ScannerAway(Exception):
    """The scanner gave no verdict. The message is the reason, in a few words."""


class StreamTooLong(Exception):
    """The file is longer than the scanner's StreamMaxLength."""


async def scan_stream(url: str, chunks: AsyncIterator[bytes], timeout_s: float) -> str | None:
    """Name of the signature that fits the bytes, None where none does. Raises ScannerAway, StreamTooLong."""
    try:
        async with asyncio.timeout(timeout_s):
            reply = await _ask(url, chunks)
    except TimeoutError:
        raise ScannerAway(f"no verdict within {timeout_s:g} seconds") from None
    except OSError as error:
        raise ScannerAway(error.strerror or str(error) or type(error).__name__) from None
    if found := FOUND.fullmatch(reply):
        return found["signature"]
    if reply == "stream: OK":
        return None
    if reply.startswith("INSTREAM size limit exceeded"):
        raise StreamTooLong
    raise ScannerAway(f"it said {reply[:100]!r}" if reply else "it closed the connection")


async def _ask(url: str, chunks: AsyncIterator[bytes]) -> str:
    """The scanner's line about a stream, without its end; empty where it closed the connection without one."""
    loop = asyncio.get_running_loop()
    # Plain sockets: of a stream that is too long the scanner says so and closes, and a transport of asyncio's that fails to
    # write drops what is still to be read.
    with await _connected(url) as connection:
        with contextlib.suppress(ConnectionError):
            await loop.sock_sendall(connection, b"zINSTREAM\0")
            async for chunk in chunks:
                for start in range(0, len(chunk), PIECE_BYTES):
                    piece = chunk[start : start + PIECE_BYTES]
                    await loop.sock_sendall(connection, struct.pack("!L", len(piece)) + piece)
            await loop.sock_sendall(connection, struct.pack("!L", 0))
        with contextlib.suppress(ConnectionError):
            return (await loop.sock_recv(connection, REPLY_MAX)).rstrip(b"\0\n").decode(errors="replace")
    return ""


async def _connected(url: str) -> socket.socket:
    """A connection to the first of the scanner's addresses that takes one. Raises OSError."""
    loop, parts = asyncio.get_running_loop(), urlsplit(url)
    addresses: list[tuple[int, tuple[Any, ...] | str]] = [(socket.AF_UNIX, parts.path)]
    if parts.scheme != "clamd+unix":
        found = await loop.getaddrinfo(parts.hostname, parts.port or PORT, type=socket.SOCK_STREAM)
        addresses = [(family, address) for family, _, _, _, address in found]
    error = OSError("it has no address")
    for family, address in addresses:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            await loop.sock_connect(connection, address)
            return connection
        except OSError as refused:
            connection.close()
            error = refused
        except BaseException:
            connection.close()
            raise
    raise error
