"""Campaigns against servers that refuse the sender, the login or the size: nothing bounces, and the reason is shown."""

import html
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import func, select

from dashboard.app import create_app
from service.database import Database, Suppression
from service.mail.server_status import ServerStatus
from service.monitoring.alerts.measures import Measures
from settings import load_settings
from settings.alert_rules import RULES
from tests.mail.campaigning import ended, make_template, report_of, status_of, submit
from tests.mail.conftest import Served, add_users, user
from tests.mail.servers import MailSink, serving
from tests.waiting import wait_until_async

# These are about SMTP; what they make of the rows is tested on both databases in test_deliveries.py.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True, scope="session")

UNLIMITED = {"OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE": "0"}


@pytest.fixture
def app(settings_env: dict[str, str]) -> Litestar:
    """The pages too."""
    return create_app(load_settings())


@pytest.fixture
def database(served: Served) -> Database:
    return served.services.database


@pytest.fixture
async def viewer(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of a viewer of the dashboard."""
    async with httpx.AsyncClient(base_url=served.url, auth=("viewer", "viewer-password-1"), timeout=60) as client:
        yield client


async def sentence(client: httpx.AsyncClient, job_id: str, words: str) -> str:
    async def found() -> str | None:
        message = str((await status_of(client, job_id))["message"])
        return message if words in message else None

    return await wait_until_async(found)


@pytest.mark.parametrize(
    ("reply", "advice"),
    [
        ("530 5.7.0 Authentication required", "Check user name and password in OFFLOAD_SMTP_URL"),
        ("550 5.4.6 daily limit reached", "The provider's limit is used up"),
    ],
)
async def test_a_refused_sender_is_an_absent_server(acme, served, database, start_worker, reply, advice) -> None:
    await add_users(database, *(user(n) for n in range(1, 61)))
    refusing = True
    async with serving(MailSink(at_sender=lambda _: reply if refusing else None)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        job_id = await submit(acme, segment="active", template_id=await make_template(acme))
        message = await sentence(acme, job_id, reply)
        assert "takes no messages since 20" in message and advice in message
        assert (await status_of(acme, job_id))["status"] == "active"
        refusing = False
        status = await ended(acme, job_id)
    assert status["data"]["sent"] == 60 and status["data"]["bounced"] == 0
    assert set(sink.by_recipient.values()) == {1} and len(sink.by_recipient) == 60
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Suppression)) == 0
    assert await ServerStatus(served.services.redis).read() is None


async def test_a_refused_login_is_one_login_per_wait_and_is_shown_everywhere(
    acme, served, database, start_worker, viewer
) -> None:
    await add_users(database, *(user(n) for n in range(1, 301)))
    sink = MailSink(login_refused="535 5.7.8 password expired")
    async with serving(sink, authenticator=sink.authenticate, auth_require_tls=False) as sink:
        url = sink.url.replace("smtp://", "smtp://news:secret@")
        for _ in range(2):
            start_worker(OFFLOAD_SMTP_URL=url, **UNLIMITED)
        job_id = await submit(acme, segment="active", template_id=await make_template(acme))
        await sentence(acme, job_id, "535 5.7.8 password expired")
        status = ServerStatus(served.services.redis)

        async def tried(times: int) -> bool:
            absence = await status.read()
            return absence is not None and absence.tries >= times

        await wait_until_async(lambda: tried(2))
        absence = await status.read()
        assert absence is not None
        # Each worker may find out once, and the check of the campaign's size is a login as well.
        assert sink.logins <= absence.tries + 3
        for path in ("/admin/queues", f"/admin/jobs/{job_id}"):
            text = html.unescape((await viewer.get(path)).text)
            assert "535 5.7.8 password expired" in text and "OFFLOAD_SMTP_URL" in text and absence.since in text
            assert "any moment" not in text
        services = served.services
        measures = Measures(services.settings, services.store, services.metrics, services.schedules)
        rule = next(rule for rule in RULES if rule.name == "mail-server-away")
        (reading,) = await measures.take(rule)
        assert reading.value is not None and "535 5.7.8 password expired" in reading.detail
        sink.login_refused = None
        done = await ended(acme, job_id)
    assert done["data"]["sent"] == 300 and set(sink.by_recipient.values()) == {1}


async def test_a_server_of_two_connections_gets_two(acme, database, start_worker) -> None:
    await add_users(database, *(user(n) for n in range(1, 61)))
    async with serving(MailSink(connections_max=2, delay_s=0.01)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        job_id = await submit(acme, segment="active", template_id=await make_template(acme))
        status = await ended(acme, job_id)
        detail: dict[str, Any] = (await acme.get(f"/api/jobs/{job_id}")).json()
    assert status["data"]["sent"] == 60 and len(sink.by_recipient) == 60
    assert sink.connections <= 6, "a limit is found once and kept for a while"
    assert {len(part["attempts"]) if "attempts" in part else part["attempt"] for part in detail["parts"]} == {1}


async def test_a_server_of_three_messages_per_connection_gets_a_new_one_each_time(acme, database, start_worker) -> None:
    await add_users(database, *(user(n) for n in range(1, 31)))
    async with serving(MailSink(messages_max=3)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        job_id = await submit(acme, segment="active", template_id=await make_template(acme))
        status = await ended(acme, job_id)
        rows = await report_of(acme, job_id)
    assert status["data"]["sent"] == 30 and set(sink.by_recipient.values()) == {1}
    assert {row["smtp_text"] for row in rows.values()} == {"2.0.0 kept"}


async def test_a_message_larger_than_the_server_takes_fails_before_the_first(acme, database, start_worker) -> None:
    await add_users(database, *(user(n) for n in range(1, 11)))
    async with serving(data_size_limit=1_000) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        template_id = await make_template(acme, text="long " * 500)
        status = await ended(acme, await submit(acme, segment="active", template_id=template_id))
    assert status["status"] == "failed" and "the mail server takes 1,000 at most: nothing was sent" in status["error"]
    assert sink.recipients_seen == [] and sink.caught == []


async def test_policy_and_full_mailboxes_suppress_no_address(acme, database, start_worker) -> None:
    """Twice each: 550 5.7.1 and 552 5.3.4 after DATA, 552 5.2.2 at RCPT; 550 5.1.1 is the address's own."""
    content = {1: "550 5.7.1 policy", 2: "552 5.3.4 too big"}
    recipient = {3: "552 5.2.2 mailbox full", 4: "550 5.1.1 no such user"}
    by_address = {f"user{n}@example.com": reply for n, reply in content.items()}
    at_recipient = {f"user{n}@example.com": reply for n, reply in recipient.items()}
    await add_users(database, *(user(n) for n in range(1, 6)))
    async with serving(MailSink(at_content=by_address.get, at_recipient=at_recipient.get)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        template_id = await make_template(acme)
        for _ in range(2):
            status = await ended(acme, await submit(acme, segment="active", template_id=template_id))
            assert (status["data"]["sent"], status["data"]["bounced"]) == (1, 4)
    async with database.reading() as session:
        assert list(await session.scalars(select(Suppression.address))) == ["user4@example.com"]


async def test_a_full_mailbox_is_tried_again_and_shown_as_waiting(acme, database, start_worker) -> None:
    await add_users(database, *(user(n) for n in range(1, 4)))
    full = {"user2@example.com": "452 4.2.2 mailbox full"}
    async with serving(MailSink(at_recipient=full.get)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        job_id = await submit(acme, segment="active", template_id=await make_template(acme))
        assert "1 recipient to try again: 452 4.2.2 mailbox full" in await sentence(acme, job_id, "452")
        await wait_until_async(lambda: sink.recipients_seen.count("user2@example.com") >= 2)
        assert (await status_of(acme, job_id))["status"] == "active"
        full.clear()
        assert (await ended(acme, job_id))["data"]["sent"] == 3


async def test_addresses_are_trimmed_and_quoted_or_foreign_ones_are_sent_to(acme, database, start_worker) -> None:
    odd = {
        1: " user1@example.com\u00a0",
        2: "user2@example.com\t\u200b",
        3: '"user3"@example.com',
        4: "user4@b\u00fccher.example",
    }
    await add_users(database, *(user(n, email=email) for n, email in odd.items()))
    async with serving() as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        job_id = await submit(acme, segment="active", template_id=await make_template(acme))
        status = await ended(acme, job_id)
    assert status["data"]["sent"] == 4, await report_of(acme, job_id)
    assert set(sink.by_recipient) == {
        "user1@example.com", "user2@example.com", "user3@example.com", "user4@xn--bcher-kva.example",
    }  # fmt: skip
