"""`offload top` at 80 columns, driven by its keys over a real queue server."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, RichLog, Static

from service.cli.top_app import Record, Top
from service.engine.redis.client import connect
from service.engine.states import State
from service.engine.store import LogLine, Store, keys
from service.supervisor.valkey import EmbeddedValkey
from tests.parts import Parts
from tests.supervisor.stack import OFFLOAD
from tests.waiting import wait_until_async

SSH = (80, 24)


@pytest.fixture
def recorded() -> list[tuple[str, str, str]]:
    return []


@pytest.fixture
def top(parts: Parts, recorded: list[tuple[str, str, str]]) -> Top:
    return Top(parts.store, recording(recorded))


def recording(recorded: list[tuple[str, str, str]]) -> Record:
    async def record(action: str, kind: str, target: str) -> None:
        recorded.append((action, kind, target))

    return record


def rows(top: Top, name: str) -> list[list[str]]:
    table = top.query_one(f"#{name}", DataTable)
    return [[str(cell) for cell in table.get_row_at(at)] for at in range(table.row_count)]


def text(top: Top, name: str) -> str:
    return str(top.screen.query_one(f"#{name}", Static).content)


async def shown(top: Top, pilot: Pilot[None], jobs: int) -> None:
    async def there() -> bool:
        await pilot.pause()
        return top.connected and len(rows(top, "jobs")) == jobs

    await wait_until_async(there)


async def choose(top: Top, pilot: Pilot[None], table: str, key: str) -> None:
    found = top.query_one(f"#{table}", DataTable)
    found.focus()
    found.move_cursor(row=found.get_row_index(key))
    await pilot.pause()


async def test_queues_and_jobs_are_shown_with_bars_and_cut_nowhere(parts: Parts, top: Top) -> None:
    await parts.echo(3)
    [job] = await parts.claim(1)
    await parts.store.redis.hset(keys.job(job.id), mapping={"progress": 40, "message": "Page [/2] of [5]"})
    async with top.run_test(size=SSH) as pilot:
        await shown(top, pilot, 1)
        [queue] = [row for row in rows(top, "queues") if row[0] == "thumbnails"]
        assert queue[1:4] == ["2", "1", "0"] and queue[6] == "no worker"
        assert rows(top, "jobs") == [[job.id, "active", "████░░░░░░  40 %", "Page [/2] of [5]"]]
        table = top.query_one("#queues", DataTable)
        assert sum(column.get_render_width(table) for column in table.ordered_columns[:6]) <= SSH[0]


async def test_a_queue_is_paused_after_a_question_and_resumed(
    parts: Parts, top: Top, recorded: list[tuple[str, str, str]]
) -> None:
    async with top.run_test(size=SSH) as pilot:
        await shown(top, pilot, 0)
        await choose(top, pilot, "queues", "thumbnails")

        async def paused() -> bool:
            await pilot.pause()
            return "pause" in await parts.store.controls.holds("thumbnails")

        await pilot.press("p")
        await pilot.press("n")
        assert not await paused()
        await pilot.press("p")
        await pilot.press("y")
        await wait_until_async(paused)
        await wait_until_async(lambda: any("paused" in row[6] for row in rows(top, "queues")))
        await pilot.press("p")

        async def resumed() -> bool:
            return not await paused()

        await wait_until_async(resumed)
        await wait_until_async(lambda: len(recorded) == 2)
    assert recorded == [("queue.paused", "queue", "thumbnails"), ("queue.resumed", "queue", "thumbnails")]


async def test_a_failed_job_is_retried_and_a_running_one_cancelled(
    parts: Parts, top: Top, recorded: list[tuple[str, str, str]]
) -> None:
    await parts.echo(2)
    failed, running = await parts.claim(2)
    await parts.end(failed, "failed")
    async with top.run_test(size=SSH) as pilot:
        await shown(top, pilot, 2)
        await choose(top, pilot, "jobs", failed.id)
        await pilot.press("r")
        await wait_until_async(lambda: recorded == [("job.retried", "job", failed.id)])
        assert (await parts.store.present(failed.id)).state is State.QUEUED
        await choose(top, pilot, "jobs", running.id)
        await pilot.press("c")
        await pilot.press("y")
        await wait_until_async(lambda: recorded[-1] == ("job.cancelled", "job", running.id))
        assert (await parts.store.present(running.id)).cancel_requested
        await pilot.press("r")
        await wait_until_async(lambda: "can be retried" in text(top, "notice"))


async def test_the_row_under_the_cursor_stays_under_it(parts: Parts, top: Top) -> None:
    await parts.echo(3)
    first, second, _ = await parts.claim(3)
    async with top.run_test(size=SSH) as pilot:
        await shown(top, pilot, 3)
        await choose(top, pilot, "jobs", second.id)
        await parts.end(first)
        await shown(top, pilot, 2)
        assert top._chosen("jobs") == second.id


async def test_a_log_is_followed(parts: Parts, top: Top) -> None:
    await parts.echo(1)
    [job] = await parts.claim(1)
    async with top.run_test(size=SSH) as pilot:
        await shown(top, pilot, 1)
        await choose(top, pilot, "jobs", job.id)
        await pilot.press("t")
        await wait_until_async(lambda: f"{job.id}  active" in text(top, "state"))
        for event in ("page read", "page kept"):
            await parts.store.logged(job.id, [msgspec.json.encode(LogLine(0, "info", 1, event, {"page": "1"}))])
        lines = top.screen.query_one("#lines", RichLog)
        await wait_until_async(lambda: len(lines.lines) == 2)
        assert "info    page read page=1" in lines.lines[0].text and "page kept" in lines.lines[1].text
        await pilot.press("escape")
        await wait_until_async(lambda: top.screen.id == "_default")


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    """A server of this test's own, that it may stop."""
    async with EmbeddedValkey(tmp_path / "own-valkey") as server:
        yield server


async def test_a_lost_connection_is_said_and_comes_back(own_server: EmbeddedValkey) -> None:
    redis = connect(own_server.url)
    top = Top(Store(redis), recording([]))
    async with top.run_test(size=SSH) as pilot:
        await shown(top, pilot, 0)
        own_server.kill()
        await wait_until_async(lambda: "No connection to the queue server since" in text(top, "connection"))
        await pilot.press("r")
        own_server.restart()
        await shown(top, pilot, 0)
        assert "No connection" not in text(top, "connection")
    await redis.aclose(close_connection_pool=True)


def test_without_a_terminal_it_names_the_commands_for_a_pipe(settings_env: dict[str, str]) -> None:
    done = subprocess.run([*OFFLOAD, "top"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 1 and "needs a terminal" in done.stderr and not done.stdout
