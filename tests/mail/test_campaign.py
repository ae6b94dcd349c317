"""Campaigns from the request to the report, with real workers and real mail servers."""

import signal
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.database import Database
from service.engine.store import keys
from tests.mail.campaigning import ended, make_template, report_of, status_of, submit
from tests.mail.conftest import Served, add_users, user
from tests.mail.servers import Drop, MailSink, serving
from tests.waiting import wait_until_async

UNLIMITED = {"OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE": "0"}


@pytest.fixture
async def sink() -> AsyncIterator[MailSink]:
    async with serving() as sink:
        yield sink


@pytest.fixture
def database(served: Served) -> Database:
    return served.services.database


def once_each(*numbers: int) -> Counter[str]:
    return Counter({f"user{number}@example.com": 1 for number in numbers})


@pytest.mark.both_databases
async def test_a_campaign_reaches_everybody_once(acme, database, sink, start_worker) -> None:
    await add_users(database, *(user(n) for n in range(1, 121)), user(121, active=False))
    job_id = await submit(acme, segment="active", template_id=await make_template(acme))
    start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
    status = await ended(acme, job_id)
    assert status["status"] == "completed", status
    assert sink.by_recipient == once_each(*range(1, 121))
    assert (status["data"]["sent"], status["data"]["total_recipients"], status["data"]["bounced"]) == (120, 120, 0)
    rows = await report_of(acme, job_id)
    assert {row["outcome"] for row in rows.values()} == {"sent"}
    assert (rows[7]["smtp_code"], rows[7]["smtp_text"]) == (250, "2.0.0 kept")
    message = {one.recipient: one.message for one in sink.caught}["user7@example.com"]
    assert message["Message-ID"] == rows[7]["message_id"]
    assert message["Subject"] == "Hello Ada 7"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None and plain.get_content().splitlines()[:3] == ["Hi Ada 7", ".", "..dots"]
    assert html is not None and '<p style="color: red;">Hi Ada 7</p>' in html.get_content()
    assert sink.widest <= 5


async def test_what_a_server_says_to_one_is_no_business_of_the_others(acme, served, database, start_worker) -> None:
    """550 and 554 bounce, 451 and 421 and a lost connection are tried again, a bad address never reaches the server."""
    reply: Counter[str] = Counter()

    def at_recipient(address: str) -> str | None:
        reply[address] += 1
        if address == "user1@example.com":
            return "550 5.1.1 no such user"
        if reply[address] == 1 and address == "user2@example.com":
            return "451 4.7.1 greylisted"
        if reply[address] == 1 and address == "user3@example.com":
            return "421 4.3.2 closing"
        if reply[address] <= 2 and address == "user4@example.com":
            raise Drop
        return None

    def at_content(address: str) -> str | None:
        return "554 5.7.1 looks like spam" if address == "user5@example.com" else None

    people = [user(n) for n in range(1, 61)] + [user(61, email="nonsense"), user(62, email="user9@EXAMPLE.com")]
    await add_users(database, *people)
    async with serving(MailSink(at_recipient=at_recipient, at_content=at_content)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        ids = [*range(1, 63), 7, 7, 999]
        job_id = await submit(acme, user_ids=ids, template_id=await make_template(acme))
        status = await ended(acme, job_id)
    assert status["status"] == "completed", status
    rows = await report_of(acme, job_id)
    assert sink.by_recipient == once_each(2, 3, 4, *range(6, 61))
    assert (rows[1]["outcome"], rows[1]["smtp_code"], rows[1]["smtp_text"]) == ("bounced", 550, "5.1.1 no such user")
    assert (rows[5]["outcome"], rows[5]["smtp_code"]) == ("bounced", 554)
    assert reply["user1@example.com"] == 1, "a bounce is never tried again"
    assert [rows[n]["outcome"] for n in (2, 3, 4)] == ["sent"] * 3
    assert [rows[n]["outcome"] for n in (61, 62, 999)] == ["skipped"] * 3
    assert rows[999]["smtp_text"] == "no such user" and rows[62]["smtp_text"] == "the same address as user 9"
    assert "nonsense" not in sink.recipients_seen
    counts = {name: status["data"][name] for name in ("sent", "bounced", "skipped", "failed", "unknown")}
    assert counts == {"sent": 58, "bounced": 2, "skipped": 3, "failed": 0, "unknown": 0}
    raw = [
        await served.services.redis.hgetall(key)
        for key in await served.services.redis.keys(keys.metrics("email-sender", 0)[:-1] + "*")
    ]
    measured: Counter[str] = Counter()
    for fields in raw:
        measured.update({name.decode(): int(value) for name, value in fields.items() if name.startswith(b"mail_")})
    assert measured["mail_sent"] == 58 and measured["mail_bounced"] == 2 and measured["mail_deferred"] >= 3


async def test_a_server_that_is_away_costs_nothing_but_time(acme, database, start_worker) -> None:
    """It refuses connections at first, and goes away in the middle; those who have got their message get no second."""
    await add_users(database, *(user(n) for n in range(1, 101)))
    async with serving() as gone:
        port = gone.port
    start_worker(OFFLOAD_SMTP_URL=f"smtp://127.0.0.1:{port}", **UNLIMITED)
    job_id = await submit(acme, segment="active", template_id=await make_template(acme))

    async def waits() -> bool:
        parts = (await acme.get(f"/api/jobs/{job_id}")).json()["parts"]
        return any(part["status"] == "retrying" and "takes no messages" in part["message"] for part in parts)

    await wait_until_async(waits)
    async with serving(port=port) as back:
        status = await ended(acme, job_id)
    assert status["data"]["sent"] == 100
    assert back.by_recipient == once_each(*range(1, 101))
    detail = (await acme.get(f"/api/jobs/{job_id}")).json()
    assert {part["attempt"] for part in detail["parts"]} == {1}, "no attempt was spent"


async def test_doubt_is_reported_and_only_resent_when_asked(acme, globex, database, start_worker) -> None:
    """The server accepts, and dies before its 250 goes out."""
    left = {"user3@example.com", "user8@example.com"}

    def after_accepting(address: str) -> None:
        if address in left:
            left.remove(address)
            raise Drop

    await add_users(database, *(user(n) for n in range(1, 21)))
    async with serving(MailSink(after_accepting=after_accepting)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        job_id = await submit(acme, segment="active", template_id=await make_template(acme))
        status = await ended(acme, job_id)
        assert sink.by_recipient == once_each(*range(1, 21)), "no one got it twice"
        rows = await report_of(acme, job_id)
        assert {n for n, row in rows.items() if row["outcome"] == "unknown"} == {3, 8}
        assert status["data"]["unknown"] == 2 and status["data"]["sent"] == 18
        others = await globex.post("/api/jobs/email-resend", json={"campaign_id": job_id})
        assert others.status_code == 404
        resent = await submit(acme, "email-resend", campaign_id=job_id)
        assert (await ended(acme, resent))["data"]["sent"] == 20
        again = await acme.post("/api/jobs/email-resend", json={"campaign_id": job_id})
        assert again.status_code == 409
    assert sink.by_recipient == once_each(*range(1, 21)) + once_each(3, 8)
    ids = Counter(one.message["Message-ID"] for one in sink.caught)
    assert len(ids) == 20, "a second copy bears the first one's Message-ID"


@pytest.mark.both_databases
async def test_a_deploy_in_the_middle_loses_and_repeats_nothing(acme, database, start_worker) -> None:
    await add_users(database, *(user(n) for n in range(1, 151)))
    async with serving(MailSink(delay_s=0.02)) as sink:
        first = start_worker(OFFLOAD_SMTP_URL=sink.url, OFFLOAD_GRACE_S="0", **UNLIMITED)
        job_id = await submit(acme, segment="active", template_id=await make_template(acme))
        await wait_until_async(lambda: len(sink.caught) > 20)
        first.send_signal(signal.SIGTERM)
        await wait_until_async(lambda: first.poll() is not None)
        assert first.returncode == 0 and len(sink.caught) < 150
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        status = await ended(acme, job_id)
    assert sink.by_recipient == once_each(*range(1, 151))
    assert (status["data"]["sent"], status["attempt"]) == (150, 1)


async def test_waiting_for_the_rate_holds_up_neither_cancel_nor_a_deploy(acme, database, sink, start_worker) -> None:
    await add_users(database, *(user(n) for n in range(1, 51)))
    worker = start_worker(OFFLOAD_SMTP_URL=sink.url, OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE="1")
    job_id = await submit(acme, segment="active", template_id=await make_template(acme))
    await wait_until_async(lambda: len(sink.caught) == 1)
    status = await status_of(acme, job_id)
    assert status["message"] == "Sending... 1 of 50 emails sent" or status["data"].get("emails_sent", 0) <= 1
    assert (await acme.post(f"/api/jobs/{job_id}/cancel")).status_code == 202
    assert (await ended(acme, job_id, 20))["status"] == "cancelled"
    second = await submit(acme, segment="active", template_id=await make_template(acme, name="second"))
    await wait_until_async(lambda: _active(acme, second))
    worker.send_signal(signal.SIGTERM)
    await wait_until_async(lambda: worker.poll() is not None, 55)
    assert worker.returncode == 0 and len(sink.caught) == 1


async def _active(acme: Any, job_id: str) -> bool:
    return (await status_of(acme, job_id))["status"] == "active"


async def test_the_bar_counts_recipients_with_thousands_grouped(acme, served, database, start_worker) -> None:
    await add_users(database, *(user(n) for n in range(1, 1002)))
    async with serving() as sink:
        job_id = await submit(acme, segment="active", template_id=await make_template(acme))
        seen: list[dict[str, Any]] = []
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        async with served.services.store.watch(job_id) as changes:
            async for _ in changes:
                seen.append(await status_of(acme, job_id))
                if seen[-1]["status"] == "completed":
                    break
    messages = [one["message"] for one in seen if one["message"].startswith("Sending... ")]
    assert "Sending... 1,001 of 1,001 emails sent" in messages
    bars = [one["progress"] for one in seen]
    assert bars == sorted(bars) and len(set(bars)) > 5
    assert sink.by_recipient == once_each(*range(1, 1002))


async def test_a_campaign_for_later_waits_and_its_template_may_go_meanwhile(acme, database, sink, start_worker) -> None:
    await add_users(database, user(1))
    start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
    template_id = await make_template(acme)
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    answer = await acme.post(
        "/api/jobs/email-batch", json={"segment": "all", "template_id": template_id, "schedule_at": soon}
    )
    assert answer.json()["status"] == "scheduled"
    assert (await acme.delete(f"/api/templates/{template_id}")).status_code == 204
    status = await ended(acme, answer.json()["job_id"])
    assert status["status"] == "failed" and "There is no template" in status["error"]
    assert sink.caught == []


async def test_a_template_that_fails_for_anybody_sends_to_nobody(acme, database, sink, start_worker) -> None:
    await add_users(database, *(user(n, name=f"Ada {n}") for n in range(1, 60)), user(60, name="Mononym"))
    start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
    template_id = await make_template(acme, text="Dear {{ user.name.split()[1] }}")
    status = await ended(acme, await submit(acme, segment="active", template_id=template_id))
    assert status["status"] == "failed" and "(for user 60)" in status["error"], status
    assert sink.caught == []


async def test_nobody_to_write_to_is_a_campaign_too(acme, database, sink, start_worker) -> None:
    await add_users(database, user(1, plan="free"))
    start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
    job_id = await submit(acme, segment="enterprise", template_id=await make_template(acme))
    assert (await ended(acme, job_id))["data"]["total_recipients"] == 0
    assert await report_of(acme, job_id) == {}
