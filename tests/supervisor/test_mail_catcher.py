"""The mail catcher: every message filed whole, with its envelope."""

import asyncio
import signal
import sys
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import aiosmtplib
import pytest
from aiosmtpd.smtp import Envelope

from service.supervisor.mail_catcher import Outbox
from tests.full_disk import no_room
from tests.ports import free_port


@pytest.fixture
async def port(tmp_path: Path):
    """Port of a catcher that files into tmp_path/outbox."""
    number = free_port()
    command = ["-m", "service.supervisor.mail_catcher", "--port", str(number), "--outbox", str(tmp_path / "outbox")]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert b"catching mail" in await process.stdout.readline()
    yield number
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


def message(number: int) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = f"Grüße {number}", "shop@example.com", "Zoë <zoe@example.com>"
    mail.set_content(f"Nummer {number}\n.\nend\n")
    return mail


async def test_each_message_becomes_one_file_with_its_envelope(port: int, tmp_path: Path):
    sends = (
        aiosmtplib.send(message(n), hostname="127.0.0.1", port=port, recipients=[f"user{n}@example.com"])
        for n in range(20)
    )
    await asyncio.gather(*sends)
    files = list((tmp_path / "outbox").iterdir())
    assert len(files) == 20 and all(file.suffix == ".eml" for file in files)
    mails = {
        mail["X-Envelope-To"]: mail for mail in (message_from_bytes(f.read_bytes(), policy=default) for f in files)
    }
    seventh = mails["user7@example.com"]
    assert seventh["Subject"] == "Grüße 7" and seventh["X-Envelope-From"] == "shop@example.com"
    assert seventh.get_content().splitlines() == ["Nummer 7", ".", "end"]


async def test_a_message_that_cannot_be_kept_is_refused_for_now(port: int, tmp_path: Path):
    (tmp_path / "outbox").rmdir()
    with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
        await aiosmtplib.send(message(1), hostname="127.0.0.1", port=port)
    assert refusal.value.code == 452


def test_a_message_that_cannot_be_kept_leaves_nothing(tmp_path: Path) -> None:
    envelope = Envelope()
    envelope.content, envelope.rcpt_tos = b"Subject: x\r\n\r\ny\r\n", ["eva@example.com"]
    with no_room(), pytest.raises(OSError):
        Outbox(tmp_path)._file(envelope)
    assert list(tmp_path.iterdir()) == []
