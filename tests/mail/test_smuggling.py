"""Messages whose texts look like the end of one and the beginning of another, sent to a server that reads line ends loosely."""

import asyncio
import email
from email.policy import default
from typing import Any

import pytest

from service.mail.smtp_pool import Connection, mail_server
from service.mail.smtp_transaction import transmit
from tasks.mail.message import for_data, message, message_id

SECOND = "MAIL FROM:<evil@example.com>{0}RCPT TO:<victim@example.com>{0}DATA{0}Subject: smuggled{0}{0}x{0}.{0}"
"""The message that none of the texts may become."""

ENDS = (
    "\n.\n",
    "\r\n.\r\n",
    "\r.\r",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\n",
    "\u2028.\u2028",
    "\x85.\x85",
    "\v.\v",
    "\f.\f",
    "\0\r\n.\r\n",
)


class LooseServer:
    """An SMTP server that takes any of CR, LF and both for the end of a line, as some real ones did."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.contents: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 loose ESMTP\r\n")
        waiting, content = b"", None
        while chunk := await reader.read(65_536):
            *lines, waiting = (waiting + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                if content is not None:
                    if line == b".":
                        self.contents.append(b"\n".join(content))
                        content = None
                        writer.write(b"250 kept\r\n")
                    else:
                        content.append(line)
                    continue
                verb = line.decode("latin-1")[:4].upper()
                self.commands.append(verb)
                content = [] if verb == "DATA" else None
                writer.write({"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(verb, b"250 ok\r\n"))
        writer.close()


@pytest.mark.parametrize("end", ENDS, ids=[ascii(end) for end in ENDS])
async def test_one_message_arrives_and_it_is_the_one_that_was_sent(end: str) -> None:
    loose = LooseServer()
    server = await asyncio.start_server(loose.serve, "127.0.0.1", 0)
    connection = Connection(mail_server(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    attack = f"begin{end}" + SECOND.format(end.replace(".", "") or "\n") + f"{end}\u202egnp.exe"
    values: dict[str, Any] = dict.fromkeys(("to_name", "subject", "html", "text"), attack)
    content = message(
        sender="Offload <news@example.org>", to_address="ada@example.com", unsubscribe_url="https://example.org/u",
        message_id=message_id("c", 1, "news@example.org"), **values,
    )  # fmt: skip
    try:
        reply = await transmit(
            await connection.ready(), "s@example.org", "ada@example.com", for_data(content), lambda: None
        )
        assert reply.code == 250
    finally:
        await connection.quit()
        server.close()
    assert [verb for verb in loose.commands if verb in ("MAIL", "RCPT", "DATA")] == ["MAIL", "RCPT", "DATA"]
    (kept,) = loose.contents
    parsed = email.message_from_bytes(kept, policy=default)
    assert parsed["To"].addresses[0].addr_spec == "ada@example.com" and parsed["Subject"].startswith("begin")
    assert "smuggled" in parsed.get_body(("plain",)).get_content()


async def test_a_subject_of_ten_megabytes_is_one_header() -> None:
    content = message(
        sender="Offload <news@example.org>", to_name="Ada", to_address="ada@example.com", subject="é" * 10_000_000,
        html="h", text="t", unsubscribe_url="https://example.org/u", message_id=message_id("c", 1, "news@example.org"),
    )  # fmt: skip
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert set(email.message_from_bytes(content, policy=default).keys()) >= {"Subject", "To", "From"}
