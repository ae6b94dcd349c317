"""One message over one connection, told apart by the one moment that matters: the final dot.

Before the dot has been sent a server cannot have accepted the message, whatever becomes of the connection. After it only
the server's answer tells. RFC 5321 leaves that gap (section 4.5.3.2.6, and RFC 1047, which is about nothing else).
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from aiosmtplib import SMTP, SMTPException, SMTPResponse
from aiosmtplib.protocol import SMTPProtocol

from service.mail.smtp_pool import COMMAND_TIMEOUT_S, size_limit
from tasks.mail.addresses import masked

ANSWER_TIMEOUT_S = 300.0
"""For the answer to the final dot. Patience here is cheap: giving up early leaves a message in doubt."""

UNSENT_POLL_S = 0.005
"""Interval of polling while the kernel's buffer takes a large message: asyncio tells only StreamWriters."""

TEXT_MAX = 500
"""Characters of a reply that are kept."""

DOT = b".\r\n"

Step = Literal["sender", "recipient", "content"]


@dataclass(slots=True, frozen=True)
class Reply:
    """The server's last reply to a message: 250 after the content, or the refusal of a step. Addresses in it are masked."""

    code: int
    text: str
    step: Step


class NotSent(Exception):
    """The connection failed before the final dot: the server has not accepted the message."""


class InDoubt(Exception):
    """The connection failed after the final dot and before the answer: whether it was accepted cannot be known here."""


async def transmit(client: SMTP, sender: str, recipient: str, data: bytes, dot_follows: Callable[[], None]) -> Reply:
    """Give the server one message. `data` has its dots doubled and ends in CRLF; the final dot is added here.

    `dot_follows` is called immediately before the dot is written: a process killed without that call has not sent the
    message. A connection that is not in a known state afterwards is closed. Raises NotSent, InDoubt.
    """
    try:
        refusal = await _envelope(client, sender, recipient, len(data))
        if refusal is not None:
            return refusal
    except (SMTPException, OSError) as error:
        client.close()
        raise NotSent(_reason(error, recipient)) from error
    except BaseException:
        # Cancelled between command and answer: the next answer would be taken for another's.
        client.close()
        raise
    try:
        return await _content(client, recipient, data, dot_follows)
    finally:
        if not (client.protocol and client.protocol.is_connected):
            client.close()


async def _envelope(client: SMTP, sender: str, recipient: str, size: int) -> Reply | None:
    most = size_limit(client)
    if most and size > most:
        text = f"5.3.4 the message has {size:,} bytes, and the mail server takes {most:,} at most"
        return Reply(552, text, "sender")
    size_option = [b"SIZE=%d" % size] if client.supports_extension("size") else []
    commands: list[tuple[Step, list[bytes]]] = [
        ("sender", [b"MAIL", f"FROM:<{sender}>".encode("ascii"), *size_option]),
        ("recipient", [b"RCPT", f"TO:<{recipient}>".encode("ascii")]),
        ("content", [b"DATA"]),
    ]
    for step, words in commands:
        answer = await client.execute_command(*words, timeout=COMMAND_TIMEOUT_S)
        if answer.code >= 400:
            if client.is_connected:
                await client.execute_command(b"RSET", timeout=COMMAND_TIMEOUT_S)
            return _reply(answer, step, recipient)
    return None


async def _content(client: SMTP, recipient: str, data: bytes, dot_follows: Callable[[], None]) -> Reply:
    protocol = cast(SMTPProtocol, client.protocol)
    transport = cast(asyncio.Transport, client.transport)
    dotted = False
    # Reading begins before writing: a server that breaks off or refuses half way is heard before the dot is sent.
    answer = asyncio.ensure_future(protocol.read_response(timeout=ANSWER_TIMEOUT_S))
    # Retrieved in any case, so that asyncio does not report an error that something else was raised for.
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        await asyncio.sleep(0)
        protocol.write(data)
        await asyncio.sleep(0)
        # A dot that waits behind unsent content would be announced too early.
        while transport.get_write_buffer_size() and not answer.done():  # noqa: ASYNC110  # the transport sets no event
            await asyncio.sleep(UNSENT_POLL_S)
        if answer.done() or not protocol.is_connected:
            early = await answer
            client.close()
            return _reply(early, "content", recipient)
        dot_follows()
        dotted = True
        _write_dot(transport, protocol)
        return _reply(await answer, "content", recipient)
    except (SMTPException, OSError) as error:
        client.close()
        raise (InDoubt if dotted else NotSent)(_reason(error, recipient)) from error
    except BaseException:
        client.close()
        raise
    finally:
        answer.cancel()


def _write_dot(transport: asyncio.Transport, protocol: SMTPProtocol) -> None:
    """The dot goes to the kernel before this returns, where the connection is not encrypted.

    uvloop gathers writes until the end of its turn, some milliseconds in which a kill would leave a message in doubt that
    was never sent.
    """
    left = DOT
    if transport.get_extra_info("sslcontext") is None and not transport.get_write_buffer_size():
        with contextlib.suppress(BlockingIOError):
            left = DOT[os.write(transport.get_extra_info("socket").fileno(), DOT) :]
    if left:
        protocol.write(left)


def _reply(answer: SMTPResponse, step: Step, recipient: str) -> Reply:
    return Reply(answer.code, masked(one_line(answer.message), recipient)[:TEXT_MAX], step)


def one_line(message: str) -> str:
    """A reply's lines as one; an enhanced code that each of them repeats stands once."""
    lines = [line.strip() for line in message.splitlines()]
    first = lines[0].split(" ", 1)[0] if lines else ""
    if first.count(".") == 2:
        lines[1:] = [line.removeprefix(first).strip() for line in lines[1:]]
    return " ".join(" ".join(lines).split())


def _reason(error: BaseException, recipient: str) -> str:
    return masked(" ".join(str(error).split()), recipient) or type(error).__name__
