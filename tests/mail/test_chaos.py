"""A large campaign whose workers are killed all the time: no recipient is left out, and none gets it twice."""

import random
import signal
from collections import Counter

import httpx
import pytest

from service.database.seed_users import seed_users
from tests.mail.campaigning import ended, make_template, report_of, status_of, submit
from tests.mail.conftest import Served
from tests.mail.servers import MailSink, serving
from tests.waiting import wait_until_async

RECIPIENTS = 12_000
WORKERS = 3
CONNECTIONS = 5


async def running(client: httpx.AsyncClient, job_id: str) -> bool:
    return (await status_of(client, job_id))["status"] not in ("completed", "failed")


async def reached(client: httpx.AsyncClient, job_id: str, sink: MailSink, goal: int) -> bool:
    return len(sink.caught) >= goal or not await running(client, job_id)


@pytest.mark.chaos
@pytest.mark.slow
async def test_twelve_thousand_get_one_message_each_whoever_is_killed(acme, served: Served, start_worker) -> None:
    dice = random.Random(20_261)
    await seed_users(served.services.database, RECIPIENTS)
    async with serving() as sink:
        environment = {"OFFLOAD_SMTP_URL": sink.url, "OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE": "0"}
        workers = [start_worker(**environment) for _ in range(WORKERS)]
        job_id = await submit(acme, segment="all", template_id=await make_template(acme))
        blows: Counter[str] = Counter()
        while len(sink.caught) < RECIPIENTS and await running(acme, job_id):
            # Once in some hundred messages, and never while nothing gets on: a worker must have time to start.
            target = min(len(sink.caught) + dice.randint(150, 900), RECIPIENTS)
            await wait_until_async(lambda goal=target: reached(acme, job_id, sink, goal), limit_s=300)
            victim = dice.randrange(WORKERS)
            blow = dice.choice(("kill", "kill", "term"))
            workers[victim].send_signal(signal.SIGKILL if blow == "kill" else signal.SIGTERM)
            workers[victim] = start_worker(**environment)
            blows[blow] += 1
        status = await ended(acme, job_id, limit_s=300)
    assert status["status"] == "completed", status
    assert blows["kill"] >= 10
    assert sink.by_recipient == Counter({f"user{number}@example.com": 1 for number in range(1, RECIPIENTS + 1)})
    assert len({one.message["Message-ID"] for one in sink.caught}) == RECIPIENTS
    outcomes = Counter(row["outcome"] for row in (await report_of(acme, job_id)).values())
    assert set(outcomes) <= {"sent", "unknown"} and outcomes.total() == RECIPIENTS
    assert outcomes["unknown"] <= blows["kill"] * CONNECTIONS, (
        "doubt only where a worker was killed with a message in hand"
    )
    print(f"{blows['kill']} killed, {blows['term']} terminated, {outcomes['unknown']} in doubt")
