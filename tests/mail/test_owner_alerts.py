"""An owner's own alerts by real mail: confirmed by its reader, one message for many failures, and stopped by one click."""

import re
from collections.abc import Callable

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import select

from dashboard.app import create_app
from service.access.personal import is_personal
from service.database import AlertMail, Event
from service.engine.payload_files import PayloadFiles
from service.engine.store.script_inputs import Outcome
from service.monitoring.owner_alerts.evaluation import OwnerEvaluation
from service.services import Services
from settings import load_settings
from tests.api.hands import Hands
from tests.api.world import picture
from tests.mail.conftest import Served
from tests.mail.servers import Caught, MailSink, serving
from tests.waiting import wait_until_async

ADDRESS = "ada@example.com"
BODY = {"address": ADDRESS, "conditions": ["failed"], "language": "de"}
UNLIMITED = {"OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE": "0"}
GREYLISTED = "451 4.7.1 later"


@pytest.fixture
def settings_env(settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The API only asks whether there is a mail server; the worker has the real one's address."""
    monkeypatch.setenv("OFFLOAD_SMTP_URL", "smtp://127.0.0.1:9")
    return settings_env


@pytest.fixture
def app(settings_env: dict[str, str]) -> Litestar:
    """With the pages behind the links."""
    return create_app(load_settings())


def evaluation(services: Services) -> OwnerEvaluation:
    """The leader's duty of every ten seconds."""
    alerts = services.owner_alerts
    return OwnerEvaluation(
        alerts.rows, alerts.counters, services.owner_usage, PayloadFiles(services.storage), alerts.mails, is_personal
    )


def link(one: Caught, kind: str) -> str:
    """Path of a link in a message."""
    body = one.message.get_body(("plain",))
    assert body is not None
    found: list[str] = re.findall(rf"http://[^/]+(/alert-mails/{kind}/\S+|/{kind}/\S+)", body.get_content())
    return found[0]


async def failing(client: httpx.AsyncClient, served: Served, count: int) -> None:
    """Jobs that fail for good, all in one call: the leader sees none of them or all."""
    hands = Hands(served.services)
    file = (await client.post("/api/files", files={"file": ("a.png", picture("red"))})).json()["file_id"]
    ended = []
    for _ in range(count):
        assert (await client.post("/api/jobs/pdf-ocr", json={"file_id": file})).status_code == 202
        job = await hands.take()
        ended.append(Outcome(job.id, job.queue, job.fence, "failed", fields=["error", "no page can be read"]))
    assert await served.services.store.settled(ended) == ["failed"] * count


async def outcomes(services: Services) -> list[str] | None:
    """Outcomes of all messages, oldest first; None while one is on its way."""
    async with services.database.reading() as session:
        found = list(await session.scalars(select(AlertMail.outcome).order_by(AlertMail.created_at)))
    return found if all(found) else None


async def test_from_registration_to_the_last_message(
    acme: httpx.AsyncClient, anonymous: httpx.AsyncClient, served: Served, start_worker: Callable
) -> None:
    services, later = served.services, [GREYLISTED]
    async with serving(MailSink(at_recipient=lambda _: later.pop() if later else None)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, **UNLIMITED)
        assert (await acme.put("/api/owner-alerts", json=BODY)).status_code == 200
        await failing(acme, served, 1)
        await evaluation(services).evaluate()
        await wait_until_async(lambda: _count(sink, 1))
        (request,) = sink.caught
        assert request.recipient == ADDRESS and "Alarme zu den Jobs von acme" in str(request.message["Subject"])
        confirm = link(request, "confirm")
        page = await anonymous.get(confirm)
        assert page.status_code == 200 and "Alarme bestätigen</button>" in page.text and ADDRESS in page.text
        assert (await acme.get("/api/owner-alerts")).json()["addresses"][0]["state"] == "pending"
        done = await anonymous.post(confirm)
        assert done.status_code == 200 and "Bestätigt." in done.text and "button" not in done.text
        await failing(acme, served, 13)
        for _ in range(2):
            await evaluation(services).evaluate()
        await wait_until_async(lambda: _count(sink, 2))
        digest = sink.caught[1]
        assert digest.message["Subject"] == "acme: 13 Jobs fehlgeschlagen"
        assert digest.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "und 3 weitere." in str(digest.message.get_body(("plain",)))
        assert (await anonymous.get(link(digest, "j"))).status_code == 200
        stop = httpx.URL(str(digest.message["List-Unsubscribe"]).strip("<>")).raw_path.decode()
        assert stop == link(digest, "unsubscribe")
        assert "Abbestellen</button>" in (await anonymous.get(stop)).text
        clicked = await anonymous.post(stop, data={"List-Unsubscribe": "One-Click"})
        assert clicked.status_code == 200
        await failing(acme, served, 1)
        await evaluation(services).evaluate()
        assert await wait_until_async(lambda: outcomes(services)) == ["sent", "sent"]
    assert sink.by_recipient == {ADDRESS: 2}
    (row,) = (await acme.get("/api/owner-alerts")).json()["addresses"]
    assert row["state"] == "unsubscribed" and row["mailed_at"]
    async with services.database.reading() as session:
        lines = list(await session.scalars(select(Event.action).where(Event.role == "link")))
    assert sorted(lines) == ["alert-address.confirmed", "alert-address.unsubscribed"]
    assert (await anonymous.post(confirm)).status_code == 410
    assert (await anonymous.get(f"{stop}x")).status_code == 404


async def _count(sink: MailSink, number: int) -> bool:
    return len(sink.caught) >= number
