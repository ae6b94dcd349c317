"""A job's file, mailed to plain addresses under the rules of campaigns."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from service.database import Database, Suppression
from service.database.column_types import utc_now
from tasks.mail_file import Artefact, MailFile, mail_file
from tests.mail.campaigning import ended, make_template, submit
from tests.mail.conftest import Served, add_users, user
from tests.mail.servers import Drop, MailSink, serving

UNLIMITED = {"OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE": "0"}


@pytest.fixture
def database(served: Served) -> Database:
    return served.services.database


async def with_report(client: Any, database: Database) -> str:
    """A completed job with a file: a campaign to one user."""
    await add_users(database, user(1))
    job_id = await submit(client, segment="all", template_id=await make_template(client))
    assert (await ended(client, job_id))["status"] == "completed"
    return job_id


async def mailed(
    served: Served, client: Any, made_by: str, recipients: list[str], owner: str = "acme", language: str = "en"
) -> dict[str, Any]:
    attach = Artefact(job_id=made_by, name="report.json")
    payload = MailFile(
        recipients=recipients, subject="The réport", text="Here it is.", attach=attach, language=language
    )
    accepted = await served.services.enqueuer.enqueue(mail_file, payload, owner=owner, units=len(recipients))
    return await ended(client, accepted.job_id)


async def test_a_file_reaches_each_address_once_and_opens_again(acme, served, database, start_worker: Callable) -> None:
    """One bounces, one is suppressed, one is not an address, one is named twice, one answers 451 at first."""
    greylisted = {"c@example.com": "451 4.7.1 later"}
    rules = {"b@example.com": "550 5.1.1 no such user"}
    async with serving(MailSink(at_recipient=lambda one: greylisted.pop(one, None) or rules.get(one))) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        made_by = await with_report(acme, database)
        sink.caught.clear()
        async with database.writing() as session:
            session.add(Suppression(address="d@example.com", reason="unsubscribed", created_at=utc_now()))
        addresses = ["a@example.com", "b@example.com", " c@example.com ", "d@example.com", "A@example.com", "nonsense"]
        status = await mailed(served, acme, made_by, addresses)
    counts = {name: status["data"][name] for name in ("sent", "bounced", "suppressed", "skipped")}
    assert counts == {"sent": 2, "bounced": 1, "suppressed": 1, "skipped": 2}, status
    assert sink.by_recipient == {"a@example.com": 1, "c@example.com": 1}
    expected = (await acme.get(f"/api/jobs/{made_by}/files/report.json")).content
    for one in sink.caught:
        (attachment,) = one.message.iter_attachments()
        assert (attachment.get_filename(), attachment.get_content_type()) == ("report.json", "application/json")
        assert attachment.get_payload(decode=True) == expected and json.loads(expected)
        assert one.message["To"] == one.recipient and one.message["Subject"] == "The réport"
        body = one.message.get_body(("plain",))
        assert body is not None and body.get_content().splitlines() == ["Here it is."]
    assert len({one.message["Message-ID"] for one in sink.caught}) == 2


@pytest.mark.both_databases
async def test_a_message_in_doubt_is_not_sent_again(acme, served, database, start_worker: Callable) -> None:
    def drop(address: str) -> None:
        if address == "a@example.com":
            raise Drop

    async with serving(MailSink(after_accepting=drop)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        made_by = await with_report(acme, database)
        status = await mailed(served, acme, made_by, ["a@example.com", "b@example.com"])
    assert (status["data"]["sent"], status["data"]["unknown"]) == (1, 1)
    assert sink.by_recipient["a@example.com"] == 1


async def test_a_file_too_large_to_attach_is_linked(acme, served, database, start_worker: Callable) -> None:
    async with serving() as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, OFFLOAD_REPORT_ATTACHMENT_MAX="10", **UNLIMITED)
        made_by = await with_report(acme, database)
        sink.caught.clear()
        for language, words in (("en", "is too large for a message"), ("de", "ist zu groß für eine Nachricht")):
            sink.caught.clear()
            assert (await mailed(served, acme, made_by, ["a@example.com"], language=language))["data"]["sent"] == 1
            (one,) = sink.caught
            body = one.message.get_body(("plain",))
            assert list(one.message.iter_attachments()) == [] and body is not None
            assert f"/api/jobs/{made_by}/files/report.json" in body.get_content() and words in body.get_content()


async def test_anothers_file_is_not_mailed(acme, globex, served, database, start_worker: Callable) -> None:
    async with serving() as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        made_by = await with_report(acme, database)
        sink.caught.clear()
        status = await mailed(served, globex, made_by, ["a@example.com"], owner="globex")
    assert status["status"] == "failed" and "There is no job" in status["error"] and sink.caught == []
