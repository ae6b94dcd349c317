"""One campaign from its seed to its verdict."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

from service.lib.async_tasks import end
from tests.chaos.campaign.attacker import Attacker, drawn
from tests.chaos.campaign.cables import cables
from tests.chaos.campaign.clients import Clients
from tests.chaos.campaign.fleet import LEASE_S, Fleet
from tests.chaos.campaign.servers import QueueServers
from tests.chaos.histories.record import Kind, Recorder, read_history
from tests.chaos.histories.verdict import Verdict, check


@dataclass(frozen=True)
class Plan:
    """Jobs, blows and seed of a campaign; the same plan draws the same blows in the same order."""

    seed: int
    jobs: int
    blows: int
    slots: int = 3
    pauses_s: tuple[float, float] = (0.2, 1.0)
    """Shortest and longest pause between two blows."""
    recovers_s: float = 60.0
    """Longest time from the last blow to the end of every job: what has not ended by then is lost."""


async def run(plan: Plan, folder: Path) -> Verdict:
    """Carry a campaign out in `folder`, which afterwards holds its history.jsonl and the logs of its processes."""
    folder.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(folder / "history.jsonl")
    recorder.path.unlink(missing_ok=True)
    recorder.record(Kind.CAMPAIGN, seed=plan.seed, lease_ms=LEASE_S * 1000)
    servers = await asyncio.to_thread(QueueServers, folder)
    try:
        async with cables(plan.slots, servers.primary.port) as ways:
            fleet = Fleet(folder, servers, ways, plan.slots, recorder)
            try:
                await _fight(plan, fleet)
            finally:
                await fleet.end()
    finally:
        await asyncio.to_thread(servers.remove)
    return check(read_history(recorder.path))


async def _fight(plan: Plan, fleet: Fleet) -> None:
    # One order for the blows and one for the clients: which of them goes on first must change neither.
    attacker = Attacker(fleet, random.Random(plan.seed))
    clients = Clients(fleet.recorder, fleet.client, random.Random(plan.seed + 1), plan.jobs)
    names = drawn(attacker.random, plan.blows)
    await fleet.start()
    reading = asyncio.create_task(clients.read_forever())
    try:
        async with asyncio.TaskGroup() as group:
            # Requests are spread over the blows, so that each meets some.
            group.create_task(clients.send_all(lambda: plan.jobs * (attacker.begun + 1) // plan.blows))
            group.create_task(
                attacker.strike_all(
                    names, plan.pauses_s, lambda: clients.sent >= plan.jobs * (attacker.begun - 3) // plan.blows
                )
            )
    finally:
        await end(reading)
    await clients.read_until_all_ended(plan.recovers_s)
    fleet.recorder.record(Kind.CLOSED)
