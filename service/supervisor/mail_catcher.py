"""An SMTP server that delivers nothing: it files every message it is given as one .eml file.

Run: `python -m service.supervisor.mail_catcher --port 2525 --outbox data/outbox`.
"""

import argparse
import asyncio
import itertools
import os
import signal
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_MAX_BYTES = 50 * 1024 * 1024
"""Bytes that large mail providers accept at most: a message refused elsewhere should be refused here."""


class Outbox:
    """Handler that files messages in a folder, named by the time they came, so that a listing is their order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """File one message with its envelope in two headers before it; it appears whole or not at all."""
        try:
            name = self._file(envelope)
        except OSError as error:
            return f"452 4.3.1 The message cannot be kept: {error.strerror}"
        print(f"caught {name} for {', '.join(map(repr, envelope.rcpt_tos))}", flush=True)
        return f"250 2.0.0 Kept as {name}"

    def _file(self, envelope: Envelope) -> str:
        content = envelope.content or b""
        recipients = ", ".join(envelope.rcpt_tos)
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {recipients}\r\n"
        body = content if isinstance(content, bytes) else content.encode()
        # Time, process and number: two messages of one millisecond, or of two catchers over one folder, stay apart.
        name = f"{time.time_ns() // 1_000_000}-{os.getpid()}-{next(self._numbers)}.eml"
        aside = self.folder / f".{name}.part"
        try:
            aside.write_bytes(head.encode(errors="surrogateescape") + body)
            aside.rename(self.folder / name)
        except OSError:
            # On a full disk it would take up what room there is.
            aside.unlink(missing_ok=True)
            raise
        return name


async def serve(host: str, port: int, outbox: Path) -> None:
    """Catch mail until SIGTERM or SIGINT."""
    handler = Outbox(outbox)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def session() -> SMTP:
        return SMTP(
            handler,
            hostname="localhost",
            ident="Offload mail catcher",
            data_size_limit=MESSAGE_MAX_BYTES,
            enable_SMTPUTF8=True,
        )

    async with await loop.create_server(session, host, port):
        print(f"catching mail on {host}:{port}", flush=True)
        await stop.wait()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m service.supervisor.mail_catcher", description="Catch mail, deliver none."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--outbox", type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.host, options.port, options.outbox))


if __name__ == "__main__":
    main()
