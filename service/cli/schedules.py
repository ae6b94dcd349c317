"""`offload schedules`: the clock's jobs, those of the operator and those of owners, straight from the queue server."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console

from service.cli.tables import print_rows
from service.engine.enqueuer import Enqueuer
from service.engine.redis.places import open_places
from service.engine.schedules import Schedules
from service.engine.schedules.records import ScheduleState
from service.engine.store.placed import open_store
from settings import Settings, load_settings

COLUMNS = ("schedule", "job", "status", "next", "last", "when")


@click.command()
def schedules() -> None:
    """List all schedules with their last and next runs, in UTC. Example: offload schedules"""
    states = asyncio.run(_states(load_settings()))
    rows = [
        (
            state.name,
            state.schedule.job,
            "broken" if state.problem else "paused" if state.pause else "ok",
            _moment(state.next_ms),
            f"{_moment(state.last.slot_ms)} {state.last.outcome or 'queued'}" if state.last else "never",
            state.problem or state.words,
        )
        for state in states
    ]
    print_rows(Console(), COLUMNS, rows, "No schedules.")


async def _states(settings: Settings) -> Sequence[ScheduleState]:
    async with open_places(settings) as redis:
        store = open_store(redis)
        return await Schedules(store, Enqueuer(store, settings.queues)).list()


def _moment(at_ms: int | None) -> str:
    return "–" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
