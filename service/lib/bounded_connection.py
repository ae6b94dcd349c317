"""A connection of uvicorn's with bounds of size and time, as `uvicorn --http service.lib.bounded_connection:BoundedConnection`.

uvicorn reads a head of any size, in quadratic time, and waits forever for the rest of a request, and for an answer to be
taken. One client with a header of 60 MB held up all others for a quarter of a minute; silent ones used up the descriptors. Slow
ones are told by their progress: a large file over a slow line may take as long as it takes.
"""

import asyncio
from http import HTTPStatus
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger("offload.web")

HEAD_MAX_BYTES = 65_536
"""Bytes of the address and the headers of a request; and of whatever comes outside of a body, such as trailers."""


class HeadTooLarge(Exception):
    """More of a head than HEAD_MAX_BYTES."""


class BoundedConnection(HttpToolsProtocol):
    """One connection. Its times are checked every `POLL_S` seconds, so each limit may be exceeded by that much."""

    POLL_S = 5.0
    HEAD_S = 20.0
    """Seconds for a head, from the connection or the end of the last answer."""

    STALL_S = 60.0
    """Seconds within which `PROGRESS_BYTES` of a body must arrive, or of an answer be taken."""

    PROGRESS_BYTES = 1_024

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head, self._head_bytes, self._loose_bytes = False, 0, 0
        self._next_check: asyncio.TimerHandle | None = None
        self._awaiting_head_since = self._arrived_at = self._taken_at = self.loop.time()
        self._arrived_bytes = self._unsent_bytes = 0

    # Times
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to check times."""
        super().connection_made(transport)
        self._next_check = self.loop.call_later(self.POLL_S, self._check_time)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the checks."""
        self._end_checks()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the protocol of sockets, whose pings have their own limit."""
        self._end_checks()
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """Wait for the next head from now on."""
        self._awaiting_head_since = self.loop.time()
        super().on_response_complete()

    def _end_checks(self) -> None:
        if self._next_check is not None:
            self._next_check.cancel()

    def _check_time(self) -> None:
        self._next_check = self.loop.call_later(self.POLL_S, self._check_time)
        now = self.loop.time()
        if self._stuck_in_sending(now):
            log.info("client.stalled", seconds=self.STALL_S)
            self.transport.abort()
        elif self.transport.is_closing():
            return
        elif self.cycle is None or self.cycle.response_complete:
            if now - self._awaiting_head_since >= self.HEAD_S:
                self._end_of_waiting()
        elif self._stuck_in_receiving(now):
            # The reader of the body is told of the end of the connection.
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The body of the request stopped arriving.")

    def _end_of_waiting(self) -> None:
        if self._in_head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.")
        else:
            # A connection that a browser has opened in advance: there is no request to answer.
            self.transport.close()

    def _stuck_in_sending(self, now: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        waiting = unsent and (self.flow.write_paused or self.transport.is_closing())
        if not waiting or unsent > self._unsent_bytes or self._unsent_bytes - unsent >= self.PROGRESS_BYTES:
            self._unsent_bytes, self._taken_at = unsent, now
        return bool(waiting) and now - self._taken_at >= self.STALL_S

    def _stuck_in_receiving(self, now: float) -> bool:
        waiting = self.cycle.more_body and not self.flow.read_paused
        if not waiting or self._arrived_bytes >= self.PROGRESS_BYTES:
            self._arrived_bytes, self._arrived_at = 0, now
        return waiting and now - self._arrived_at >= self.STALL_S

    # Sizes
    def data_received(self, data: bytes) -> None:
        """Parse what came. A head that is too large is answered with 431."""
        self._arrived_bytes += len(data)
        self._loose_bytes += len(data)
        super().data_received(data)
        # The parser keeps a value that has not ended to itself, and copies all of it with each piece.
        if self._loose_bytes > HEAD_MAX_BYTES and not self.transport.is_closing():
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count an address, or a part of one."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, or a trailer."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to wait for a body, if there is one."""
        self._in_head = False
        self._arrived_bytes, self._arrived_at = 0, self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, which has limits of its own."""
        self._loose_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Begin to count from nothing."""
        self._loose_bytes = 0
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._loose_bytes = 0
        self._head_bytes += size
        if self._head_bytes > HEAD_MAX_BYTES:
            raise HeadTooLarge

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed: with 431 where it is too large for that."""
        if max(self._head_bytes, self._loose_bytes) > HEAD_MAX_BYTES:
            sentence = f"The address and the headers of a request have at most {HEAD_MAX_BYTES:,} bytes."
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, sentence)
        else:
            super().send_400_response(msg)

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        """End the connection; with an answer, where none has begun."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = sentence.encode()
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"x-content-type-options: nosniff\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()
