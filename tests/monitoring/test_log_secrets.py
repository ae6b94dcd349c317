"""No secret is in any line of any log."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from service.monitoring.log_secrets import MASK, Masker, secret_values
from settings import load_settings
from tests.api.apart import apart
from tests.waiting import wait_until

SECRETS = {
    "OFFLOAD_SMTP_URL": "smtp://mailer:smtp-pass-1234@127.0.0.1:1",
    "OFFLOAD_SLACK_WEBHOOK_URL": "http://127.0.0.1:1/services/T000/slack-hook-5678",
    "OFFLOAD_PAGER_WEBHOOK_URL": "http://127.0.0.1:1/v2/enqueue?routing_key=pager-key-9012",
    "OFFLOAD_ENCRYPTION_KEYS": "a:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=,b:YWJjZGVmZ2hpamFiY2RlZmdoaWphYmNkZWZnaGlqYWI=",
}
WORDS = [
    "smtp-pass-1234", "slack-hook-5678", "pager-key-9012", "acme-secret-key-1", "globex-secret-key-2",
    "admin-password-1", "viewer-password-1",
    "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "YWJjZGVmZ2hpamFiY2RlZmdoaWphYmNkZWZnaGlqYWI=",
]  # fmt: skip


@pytest.fixture
def environment(settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    return settings_env | SECRETS


def test_every_secret_of_the_settings_is_known(environment: dict[str, str]) -> None:
    found = " ".join(secret_values(load_settings()))
    assert [word for word in WORDS if word not in found] == []


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (
            '"WebSocket /api/jobs/j/events?token=abc.def" [accepted]',
            f'"WebSocket /api/jobs/j/events?token={MASK}" [accepted]',
        ),
        ("GET /x?a=1&ticket=abc&b=2", f"GET /x?a=1&ticket={MASK}&b=2"),
        ("Authorization: Bearer 0123456789abcdef", f"Authorization: Bearer {MASK}"),
        ("{'authorization': 'Basic YWRtaW46eA=='}", f"{{'authorization': 'Basic {MASK}'}}"),
        ("redis://u:geheim@host:1/0 is away", f"redis://u:{MASK}@host:1/0 is away"),
        ("redis://:geheim@host", f"redis://:{MASK}@host"),
        ("/unsubscribe/abcdefgh123 asked", f"/unsubscribe/{MASK} asked"),
        ("GET /j/ticket_pdf-ocr-1~17~~sig%7E-x/progress", f"GET /j/{MASK}/progress"),
        ("GET /alert-mails/confirm/ticket_a~17~~sig", f"GET /alert-mails/confirm/{MASK}"),
        ("GET /c/file-1~17~~sig%7E-x/pages/3", f"GET /c/{MASK}/pages/3"),
        ('json: "we\\"ird-value"', f'json: "{MASK}"'),
        ("nothing to hide at http://host/a?b=c", "nothing to hide at http://host/a?b=c"),
    ],
)
def test_secrets_are_masked_by_value_and_by_place(line: str, masked: str) -> None:
    assert Masker({'we"ird-value', "short"}).text(line) == masked


@pytest.mark.parametrize(
    "text",
    [
        "A-HIDDEN-VALUE!", "a-hidden-Value", "Schl\u00fcssel: a-hidden-value", "\u212aey-Hidden-2", "key-hidden-2", "",
        "BEARER 0123456789", "bAsIc 0123456789", "HTTP://u:pw@host", "/UNSUBSCRIBE/abcdefgh1", "/J/abcdefgh1", "/x?TOKEN=abc",
        "job.started", "0.02",
    ],
)  # fmt: skip
def test_a_text_that_is_not_searched_holds_nothing(text: str) -> None:
    masker = Masker({"a-hidden-value", "Key-Hidden-2"})
    assert (masker.text(text) == text) == (masker._pattern.search(text) is None)


def test_records_of_any_logger_are_masked_with_their_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogRecordFactory()
    Masker({"hidden-value"}).install()
    try:
        with caplog.at_level(logging.INFO):
            logging.getLogger("uvicorn.error").info('%s - "WebSocket %s"', "1.2.3.4", "/e?ticket=t1-t2")
            try:
                raise ValueError("the password is hidden-value")
            except ValueError:
                logging.getLogger("other").exception("it holds %s", "hidden-value")
    finally:
        logging.setLogRecordFactory(before)
    assert "hidden-value" not in caplog.text and "t1-t2" not in caplog.text
    assert "ValueError" in caplog.text and MASK in caplog.text


def started(environment: dict[str, str], output: BinaryIO) -> "subprocess.Popen[bytes]":
    """A worker that writes its log to `output`."""
    command = [sys.executable, "-m", "arq", "tasks.workers.CsvExport"]
    return subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=output)


async def test_the_logs_of_a_whole_run_hold_none(environment: dict[str, str], tmp_path: Path) -> None:
    log, worker_log = tmp_path / "web.log", tmp_path / "worker.log"
    used = list(WORDS)
    with worker_log.open("wb") as output, apart(environment, log, "dashboard.app:create_app") as web:
        worker = started(environment, output)
        try:
            async with httpx.AsyncClient(base_url=web.url, timeout=60) as client:
                key = {"Authorization": "Bearer acme-secret-key-1"}
                job = (await client.post("/api/jobs/csv-export", json={"dataset": "users"}, headers=key)).json()
                ticket = (await client.post(f"/api/jobs/{job['job_id']}/ticket", headers=key)).json()["ticket"]
                used.append(ticket)
                await client.get(job["status_url"], params={"ticket": ticket})
                await client.get("/api/jobs", headers={"Authorization": "Bearer a-wrong-key-that-is-secret"})
                await client.get("/admin/jobs", auth=("admin", "admin-password-1"))
                await client.get("/unsubscribe/some-secret-token-in-a-link")
                used += ["a-wrong-key-that-is-secret", "some-secret-token-in-a-link"]
                address = web.url.replace("http", "ws") + f"/api/jobs/{job['job_id']}/events"
                for query in (f"?ticket={ticket}", "?token=acme-secret-key-1", "?token=not-a-key-but-secret"):
                    try:
                        async with connect(address + query) as socket:
                            await socket.recv()
                    except (WebSocketException, OSError):
                        continue
                used.append("not-a-key-but-secret")
            wait_until(lambda: "worker.ready" in worker_log.read_text() or worker.poll() is not None)
        finally:
            worker.terminate()
            worker.wait(60)
    message = log.read_text() + worker_log.read_text()
    assert "/events?" in message and MASK in message and "worker.ready" in message, message[-3000:]
    assert [word for word in used if word in message] == []
    assert "Logging error" not in message
