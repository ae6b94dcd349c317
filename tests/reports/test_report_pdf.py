"""report-pdf from the request to the opened attachment, and what is refused before the 202."""

from collections.abc import Callable
from typing import Any

import httpx
import pypdfium2
import pytest

from service.database.seed_events import seed_events
from tests.mail.campaigning import ended, submit
from tests.mail.conftest import Served
from tests.mail.servers import MailSink, serving

YEARS = {"from": "2024-01-01", "to": "2026-10-31"}
MAIL = {"OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE": "0"}


def text_of(data: bytes) -> str:
    with pypdfium2.PdfDocument(data) as pdf:
        return "\n".join(pdf[number].get_textpage().get_text_range() for number in range(len(pdf)))


async def test_a_report_of_the_owners_rows_reaches_each_recipient_once(
    acme: httpx.AsyncClient, served: Served, start_worker: Callable[..., Any], start_maker: Callable[..., Any]
):
    """One recipient is named twice and one is greylisted: the mail is tried again, the report is made once."""
    await seed_events(served.services.database, 200, ["acme", "globex"])
    greylisted = {"b@example.com": "451 4.7.1 later"}
    async with serving(MailSink(at_recipient=lambda one: greylisted.pop(one, None))) as sink:
        start_maker()
        start_worker(OFFLOAD_SMTP_URL=sink.url, **MAIL)
        body = YEARS | {"report": "activity", "zone": "America/New_York"}
        job_id = await submit(
            acme, "report-pdf", **body, recipients=["a@example.com", "b@example.com", "A@example.com"]
        )
        status = await ended(acme, job_id)
        assert (status["status"], status["result"]["rows"], status["result"]["recipients"]) == ("completed", 100, 2)
        pages = status["result"]["pages"]
        assert status["data"]["pages_done"] == status["data"]["total_pages"] == pages
        mailed = await ended(acme, status["result"]["mail_job_id"])
        assert mailed["data"]["sent"] == 2
    assert sink.by_recipient == {"a@example.com": 1, "b@example.com": 1}
    made = (await acme.get(f"/api/jobs/{job_id}/files/report.pdf")).content
    text = text_of(made)
    assert "Activity report" in text and "America/New_York" in text and f"Page 1 of {pages}" in text
    for one in sink.caught:
        (attachment,) = one.message.iter_attachments()
        assert (attachment.get_filename(), attachment.get_content_type()) == ("report.pdf", "application/pdf")
        assert attachment.get_payload(decode=True) == made
        assert "1 January 2024 to 31 October 2026" in one.message["Subject"]


async def test_a_report_that_is_too_large_is_linked_and_opens_without_a_key(
    acme: httpx.AsyncClient, served: Served, start_worker: Callable[..., Any], start_maker: Callable[..., Any]
):
    async with serving() as sink:
        start_maker()
        start_worker(OFFLOAD_SMTP_URL=sink.url, OFFLOAD_REPORT_ATTACHMENT_MAX="10", **MAIL)
        job_id = await submit(acme, "report-pdf", **YEARS, report="usage", recipients=["a@example.com"])
        status = await ended(acme, job_id)
        await ended(acme, status["result"]["mail_job_id"])
    (one,) = sink.caught
    assert list(one.message.iter_attachments()) == []
    words = one.message.get_body(("plain",)).get_content()
    link = next(word for word in words.split() if "/files/report.pdf" in word)
    async with served.client(None) as anonymous:
        path = link[link.index("/api/") :]
        answer = await anonymous.get(path)
        assert answer.status_code == 200 and "Usage report" in text_of(answer.content)
        assert (await anonymous.get(path.replace("report.pdf?", "report.json?"))).status_code == 403
        assert (await anonymous.get(path[:-1] + ("A" if path[-1] != "A" else "B"))).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"report": "weather"}, 400, "report"),
        ({"from": "2027-12-31", "to": "2024-01-01"}, 400, "to"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, 400, "to"),
        ({"zone": "Mars/Base"}, 400, "zone"),
        ({"recipients": ["nonsense"]}, 400, "recipients"),
        ({"recipients": ["a@example.com"] * 101}, 400, "recipients"),
        ({"owner": "globex"}, 403, "owner"),
        ({"since": "2026-01-01"}, 400, "since"),
    ],
)
async def test_what_cannot_be_reported_is_refused_by_its_field(
    acme: httpx.AsyncClient, changes: dict[str, Any], status: int, field: str
):
    answer = await acme.post("/api/jobs/report-pdf", json=YEARS | {"report": "activity"} | changes)
    assert answer.status_code == status, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert len(answer.json()["detail"]) > 20
