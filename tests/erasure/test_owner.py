"""Erasure of an owner: unique words are planted through the API, and then every file, table and key is searched for them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select

from service.database import AlertMail, Campaign, Delivery, Event
from service.engine.job_files import checkpoint_path
from service.engine.outcomes import OutcomeKind
from service.engine.states import State
from service.engine.store import Job, keys
from service.engine.store.job_search import jobs_of
from service.engine.store.owner_keys import OwnerKeys
from service.engine.store.records import LogLine
from service.engine.store.script_inputs import Outcome
from service.erasure.jobs import StillRunning
from service.erasure.owner import AMOUNTS, NothingToErase, OwnerErasure
from service.erasure.signed_list import BadList, SignedList, as_text, verified
from service.erasure.tables import LINES, MESSAGES
from service.lib.clock import now_ms
from service.monitoring.fairness import Charge
from service.supervisor.valkey import EmbeddedValkey
from tests.api.conftest import Served
from tests.api.hands import QUEUE, Hands
from tests.api.world import PLANTED, made_world
from tests.erasure.search import in_files, in_redis, in_tables
from tests.ocr.documents import text_pdf

WORD = PLANTED.encode()
NEIGHBOUR = "trillian-stays"
WAITED = {Charge("globex", "acme", PLANTED): 5_000_000, Charge("acme", "", "paused"): 1_000_000}


@contextlib.asynccontextmanager
async def stopping(served: Served, job: Job) -> AsyncIterator[None]:
    """A worker that runs the job, and stops when it is asked to."""
    store = served.services.store

    async def work() -> None:
        while True:
            _, stop = await store.renewed(QUEUE, 60_000, [(job.id, job.fence)])
            if stop:
                await store.settled([Outcome(job.id, QUEUE, job.fence, OutcomeKind.CANCELLED)])
                return
            await asyncio.sleep(0.02)

    task = asyncio.create_task(work())
    yield
    await task


async def plant(acme: httpx.AsyncClient, hands: Hands, served: Served) -> Job:
    """The owner's world, and the word in every other place that a job has. Returns a job that runs."""
    services = served.services
    world = await made_world(acme, hands)
    body = {"file_id": world.ids["file_id"]}
    headers = {"Idempotency-Key": f"{PLANTED}-1"}
    failing = (await acme.post("/api/jobs/pdf-ocr", json=body, headers=headers)).json()["job_id"]
    job = await hands.take()
    assert job.id == failing
    await services.store.logged(
        job.id, [msgspec.json.encode(LogLine(1, "info", 1, f"read {PLANTED}", {"page": PLANTED}))]
    )
    await services.store.checkpointed(job, "page", WORD)
    await services.storage.put(checkpoint_path(job.id, "page"), WORD)
    await hands.progress(job, 40, f"Reading {PLANTED}", seen=PLANTED)
    fields = ["error", f"{PLANTED} is torn", "error_type", "ValueError", "fingerprint", "torn"]
    attempt = {"number": 1, "worker": "w", "outcome": "failed", "error": PLANTED, "traceback": PLANTED}
    outcome = Outcome(job.id, QUEUE, job.fence, OutcomeKind.FAILED, fields=fields, attempt=attempt)
    assert await services.store.settled([outcome]) == ["failed"]
    binned = (await acme.post("/api/jobs/pdf-ocr", json=body)).json()["job_id"]
    await hands.complete(await hands.take(), text_txt=WORD)
    assert (await acme.delete(f"/api/jobs/{binned}")).is_success
    async with services.database.writing() as session:
        session.add(
            Campaign(
                campaign_id=failing, owner="acme", template_id="t", name=PLANTED, subject=PLANTED, html="", text="",
                recipients=1, to_send=1,
            )
        )  # fmt: skip
        await session.flush()
        session.add(
            Delivery(
                campaign_id=failing, position=1, user_id=7, email=f"{PLANTED}@example.com", address=f"{PLANTED}@example.com",
                status="sent", message_id="m",
            )
        )  # fmt: skip
        (mail,) = await session.scalars(select(AlertMail))
        campaign = {
            "template_id": "",
            "name": "n",
            "subject": "s",
            "html": "",
            "text": "",
            "recipients": 1,
            "to_send": 1,
        }
        session.add(Campaign(campaign_id=mail.mail_id, owner="owner-alerts", **campaign))
        await session.flush()
        session.add(
            Delivery(
                campaign_id=mail.mail_id, position=1, user_id=-1, email=f"{PLANTED}@example.com", address=None,
                status="sent", message_id="m",
            )
        )  # fmt: skip
        session.add(
            Event(
                owner="acme", actor="acme", role="owner", action="job.cancelled", target_type="job", target_id="j",
                outcome="done", address="203.0.113.9", detail=PLANTED,
            )
        )  # fmt: skip
    # What the ledger's process has not written yet is written after the erasure.
    await services.fairness.add(QUEUE, now_ms(), WAITED)
    assert (await acme.post("/api/jobs/pdf-ocr", json=body)).is_success
    return await hands.take()


def erasure(served: Served, owner: str = "acme", **more: Any) -> OwnerErasure:
    services = served.services
    return OwnerErasure(services.settings, services.database, services.redis, owner, **more)


def unlisted(found: Counter[str], written: SignedList) -> Counter[str]:
    """What was there at the beginning and is not in the list. Webhooks are told of ends of jobs in the meantime."""
    return found - Counter(written.removed) - Counter(written.altered) - Counter({MESSAGES: found[MESSAGES]})


@pytest.mark.both_databases
async def test_no_file_table_or_key_holds_a_word_of_an_erased_owner(
    acme: httpx.AsyncClient,
    globex: httpx.AsyncClient,
    served: Served,
    hands: Hands,
    settings_env: dict[str, str],
    valkey_server: EmbeddedValkey,
) -> None:
    data, database, redis = Path(settings_env["OFFLOAD_DATA_DIR"]), served.services.database, served.services.redis
    content, _ = text_pdf(pages=1)
    kept = (await globex.post("/api/files", files={"file": (f"{NEIGHBOUR}.pdf", content)})).json()
    running = await plant(acme, hands, served)
    assert await in_redis(redis, WORD) and await in_tables(database, PLANTED) and in_files(data, WORD)
    found = await erasure(served).find()
    assert (await served.services.store.present(running.id)).state is State.ACTIVE
    assert running.id in await jobs_of(redis, ["acme"])
    assert found["jobs"] >= 5 and found["documents"] == 2 and found["schedules"] == 1
    assert (await acme.get(f"/api/files/{kept['file_id']}")).status_code == 404
    async with stopping(served, running):
        written = await erasure(served).erase(by="cli:tests")
    await served.services.fairness.add(QUEUE, now_ms(), WAITED)
    assert await in_redis(redis, WORD) == [] and await in_tables(database, PLANTED) == []
    assert in_files(data, WORD) == [] and in_files(valkey_server.folder, WORD) == []
    assert await in_tables(database, "'acme'") == [] and await in_redis(redis, b"acme") == []
    assert written.removed["jobs"] >= 5 and written.removed["documents"] == 2, written.removed
    assert written.altered[LINES] == found[LINES] >= 1 and any("OFFLOAD_API_KEYS" in place for place in written.outside)
    assert verified(as_text(written), served.services.settings.link_key) == written
    assert b"acme" not in as_text(written)
    today = now_ms() // 86_400_000
    ledger = (await served.services.fairness.read([QUEUE], "day", today - 1, today))[QUEUE]
    unnamed = ledger.owner(None)
    assert unnamed.others == 10_000_000 and unnamed.apart["paused"] == 2_000_000, "the sums stay"
    assert (await globex.get(f"/api/files/{kept['file_id']}/content")).content == content
    assert await in_tables(database, NEIGHBOUR), "the search finds what is there"
    with pytest.raises(NothingToErase, match="nothing of an owner acme"):
        await erasure(served).find()


@pytest.mark.parametrize("step", ["purge", "keys", "compact", "log"])
async def test_an_erasure_that_died_is_finished_by_the_next_and_its_list_is_whole(
    acme: httpx.AsyncClient, served: Served, hands: Hands, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made_world(acme, hands)
    await served.services.fairness.add(QUEUE, now_ms(), WAITED)
    first = erasure(served)
    found = await first.find()
    assert found[LINES] and found[AMOUNTS] >= 2

    async def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if step == "purge":
            patch.setattr(first.files.store, "purged", die)
        elif step == "keys":
            patch.setattr(OwnerKeys, "remove", die)
        else:
            patch.setattr(f"service.erasure.owner.{'compact' if step == 'compact' else 'rewrite_log'}", die)
        with pytest.raises(KeyboardInterrupt):
            await first.erase(by="cli:tests")
    assert await served.services.redis.hlen(keys.ERASING) == 1
    written = await erasure(served).erase(by="cli:tests")
    assert written.kind == "owner" and await served.services.redis.exists(keys.ERASING) == 0
    assert unlisted(found, written) == Counter(), "the first attempt's part is in the list"
    assert await in_redis(served.services.redis, WORD) == []
    assert await in_tables(served.services.database, PLANTED) == []


async def test_a_job_that_does_not_stop_is_named_and_nothing_else_of_it_goes(
    acme: httpx.AsyncClient, served: Served, hands: Hands
) -> None:
    running = await plant(acme, hands, served)
    with pytest.raises(StillRunning, match=f"The job {running.id} was asked to stop .* run the command again"):
        await erasure(served, wait_s=0).erase(by="cli:tests")
    assert await served.services.store.get(running.id) is not None


def test_what_is_no_list_is_refused() -> None:
    for text in (b"", b"{}", b"\xff", b"[1]"):
        with pytest.raises(BadList, match="not a list of an erasure"):
            verified(text, b"secret")


async def test_a_changed_number_breaks_the_signature(acme: httpx.AsyncClient, served: Served, hands: Hands) -> None:
    await made_world(acme, hands)
    text = as_text(await erasure(served).erase(by="cli:tests"))
    secret = served.services.settings.link_key
    assert verified(text, secret)
    for changed, key in ((text.replace(b'"documents": 2', b'"documents": 1'), secret), (text, b"another installation")):
        with pytest.raises(BadList, match="signature does not fit"):
            verified(changed, key)
