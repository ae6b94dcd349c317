"""Erasure of a recipient of mail: its address is planted in campaigns, jobs and logs, and then searched for everywhere."""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

import service.erasure.person
from service.database import Campaign, Delivery, Event, Suppression, User
from service.engine.job_files import artefact_path
from service.engine.payload_files import INLINE_BYTES_MAX
from service.erasure.owner import NothingToErase
from service.erasure.person import ALTERED, PersonErasure
from service.erasure.tables import LINES, PersonRows
from service.monitoring.owner_alerts import Wish
from service.supervisor.valkey import EmbeddedValkey
from tests.api.conftest import Served
from tests.api.hands import Hands
from tests.api.world import made_world
from tests.engine import probe
from tests.erasure.search import in_files, in_redis, in_tables

ADDRESS = "Marvin.Android@sirius.example"
LOWER = ADDRESS.lower()


async def plant(served: Served, acme: httpx.AsyncClient, hands: Hands) -> str:
    services = served.services
    world = await made_world(acme, hands)
    job_id = world.ids["job_id"]
    await services.owner_alerts.rows.put("acme", Wish(ADDRESS, ["failed"], "en", 60, 30), {})
    await services.storage.put(artefact_path(job_id, "report.json"), LOWER.encode())
    async with services.database.writing() as session:
        session.add_all(
            [
                User(id=42, email=ADDRESS, name="Marvin", active=True, locale="en", plan="free", digest=False),
                Suppression(address=LOWER, reason="bounced"),
                Campaign(
                    campaign_id=job_id, owner="acme", template_id="t", name="n", subject="s", html="", text="",
                    recipients=2, to_send=2,
                ),
                Event(
                    owner="acme", actor="cli:eva", role="operator", action="suppression.lifted", target_type="address",
                    target_id=LOWER, outcome="done", detail=f"of {ADDRESS}",
                ),
            ]
        )  # fmt: skip
        await session.flush()
        for position, address in enumerate((ADDRESS, "zaphod@example.com"), 1):
            session.add(
                Delivery(
                    campaign_id=job_id, position=position, user_id=41 + position, email=address, address=address.lower(),
                    status="sent", smtp_text=f"250 {address}", message_id="m",
                )
            )  # fmt: skip
    body = {"report": "activity", "recipients": [ADDRESS], "from": "2026-01-01", "to": "2026-02-01"}
    assert (await acme.post("/api/jobs/report-pdf", json=body)).status_code == 202
    large = probe.Echo(word=f"{ADDRESS} {'x' * INLINE_BYTES_MAX}")
    await services.enqueuer.enqueue(probe.probe_echo, large, owner="acme")
    return job_id


@pytest.mark.both_databases
@pytest.mark.parametrize("named", [ADDRESS, "42"])
async def test_no_file_table_or_key_holds_the_address(
    served: Served,
    acme: httpx.AsyncClient,
    hands: Hands,
    settings_env: dict[str, str],
    valkey_server: EmbeddedValkey,
    named: str,
) -> None:
    services = served.services
    campaign_id = await plant(served, acme, hands)
    person = PersonErasure(services.settings, services.database, services.redis, named)
    found = await person.find()
    assert found["users"] == found["suppressions"] == found["recipients of campaigns"] == 1 and found["jobs"] >= 1
    written = await person.erase(by="cli:tests")
    for word in (ADDRESS, LOWER, "Marvin"):
        assert await in_redis(services.redis, word.encode()) == []
        assert await in_tables(services.database, word) == []
        for folder in (Path(settings_env["OFFLOAD_DATA_DIR"]), valkey_server.folder):
            assert in_files(folder, word.encode()) == []
    assert found["alert addresses"] == written.removed["alert addresses"] == 1
    assert written.removed["users"] == 1 and written.altered["recipients of campaigns"] == 1
    assert written.altered[LINES] == found[LINES] == 1, "the line that names it twice is one line"
    assert await in_tables(services.database, "zaphod@example.com"), "the other recipient stays"
    async with services.database.reading() as session:
        blank = await session.get_one(Delivery, (campaign_id, 1))
    assert (blank.user_id, blank.email, blank.status) == (-1, None, "sent"), "the campaign still counts it"
    with pytest.raises(NothingToErase, match="nothing of a person"):
        await person.find()


@pytest.mark.parametrize("step", ["remove", "compact"])
async def test_one_that_died_is_finished_by_the_next_and_its_list_is_whole(
    served: Served, acme: httpx.AsyncClient, hands: Hands, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = served.services
    await plant(served, acme, hands)

    def person() -> PersonErasure:
        return PersonErasure(services.settings, services.database, services.redis, ADDRESS)

    async def die(*_: Any) -> None:
        raise KeyboardInterrupt

    found = await person().find()
    with monkeypatch.context() as patch:
        patch.setattr(PersonRows if step == "remove" else service.erasure.person, step, die)
        with pytest.raises(KeyboardInterrupt):
            await person().erase(by="cli:tests")
    written = await person().erase(by="cli:tests")
    assert found - (Counter(written.removed) + Counter(written.altered)) == Counter()
    assert {kind for kind in found if kind in ALTERED} == set(written.altered)


async def test_one_that_only_the_audit_log_names_goes_from_there(served: Served) -> None:
    async with served.services.database.writing() as session:
        session.add(
            Event(
                owner="acme", actor="cli:eva", role="operator", action="suppression.lifted", target_type="address",
                target_id=LOWER, outcome="done",
            )
        )  # fmt: skip
    services = served.services
    written = await PersonErasure(services.settings, services.database, services.redis, ADDRESS).erase(by="cli:tests")
    assert written.altered == {LINES: 1} and await in_tables(services.database, LOWER) == []
