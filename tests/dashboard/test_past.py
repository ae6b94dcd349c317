"""The dashboard of then: what was counted and measured at a moment, by an address."""

import re
from typing import Any

import msgspec
import pytest

from dashboard.past.moment import read_past
from dashboard.past.strips import DAYS_SHOWN
from service.engine.store import keys as store_keys
from service.lib.clock import now_ms
from service.monitoring.changes import Deploy, WorkerLife, keys
from service.monitoring.changes.levels import Level
from tests.dashboard.conftest import Client
from tests.dashboard.made import Maker

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NOW_MS = 1_800_000_000_000


async def counted(made: Maker, at_ms: int) -> None:
    """An hour of a queue with a level, a worker that is gone and a deploy."""
    redis, hour = made.services.redis, at_ms // HOUR_MS
    row: dict[Any, Any] = {
        "enqueued|a": 70,
        "started|a": 61,
        "completed|a": 53,
        "failed|a": 8,
        "w33|a": 61,
        "r36|a": 53,
    }
    await redis.hset(store_keys.metrics_hour("csv-export", hour), mapping=row)
    await redis.hset(store_keys.metrics_day("csv-export", hour // 24), mapping=row)
    await redis.hset(keys.levels_day("csv-export", hour // 24), str(hour), msgspec.json.encode(Level(17, 4, 2, 4)))
    changes = made.services.changes
    life = WorkerLife("w", "csv-export", "host-<b>", 7, "0.9", 2, at_ms - HOUR_MS, at_ms + HOUR_MS, "died")
    await changes.workers.ended.add(life, life.last_ms)
    await changes.deploys.timeline.add(Deploy(at_ms - DAY_MS, "mark", "<i>0.9</i>", "ci"), at_ms - DAY_MS)
    await changes.deploys.timeline.add(Deploy(at_ms + DAY_MS, "mark", "later"), at_ms + DAY_MS)


@pytest.mark.parametrize("page", ["/admin/queues", "/admin/queues/csv-export"])
async def test_a_past_hour_shows_what_was_then_and_does_not_refresh(operator: Client, made: Maker, page: str) -> None:
    at_ms = now_ms() - 5 * DAY_MS
    await counted(made, at_ms)
    shown = (await operator.get(f"{page}?at={at_ms}")).text
    row = re.sub(r"<[^>]*>|\s+", " ", shown.split("<tbody>")[1])
    row = " ".join(row[row.index("csv-export") :].split())
    assert row.startswith("csv-export 70 17 61 4 53 8 2.0 s 4.0 s 2"), row[:80]
    assert "host-&lt;b&gt;, process 7" in shown and "(died)" in shown
    assert "&lt;i&gt;0.9&lt;/i&gt;" in shown and "later" not in shown.split("deploys-then")[2]
    assert f'href="{page}">' in shown and "Back to now" in shown
    assert re.findall(r"<div[^>]*data-live(?![^>]*data-quiet)", shown) == [], (
        "nothing but the count of alerts refreshes"
    )


async def test_where_nothing_was_recorded_that_is_said(operator: Client, made: Maker) -> None:
    shown = (await operator.get(f"/admin/queues?at={now_ms() - 20 * DAY_MS}")).text
    assert shown.count("Nothing was recorded.") == len(made.services.settings.queues)
    assert "No worker is recorded then." in shown and "No deploy is recorded before that moment." in shown


async def test_the_pages_of_now_have_a_slider_that_works_without_a_script(operator: Client, made: Maker) -> None:
    await counted(made, now_ms() - 5 * DAY_MS)
    for page in ("/admin/queues", "/admin/queues/csv-export"):
        shown = (await operator.get(page)).text
        form = shown[shown.index("data-past") : shown.index("</form>", shown.index("data-past"))]
        assert 'type="range"' in form and 'type="submit"' in form and "<option value=" in form
        moments = re.findall(r'href="[^"]*\?at=(\d+)', form)
        assert len(moments) == DAYS_SHOWN + len(("an hour ago", "a day ago", "a week ago"))
        # The first day, of which nothing is kept, the one with counts, today, and the shortcuts.
        for at in (moments[0], moments[DAYS_SHOWN - 6], *moments[DAYS_SHOWN - 1 :]):
            assert (await operator.get(f"{page}?at={at}")).status_code == 200


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("at=soon", "is neither a time such as"),
        ("at=99999999999999", "That moment lies in the future."),
        ("at=2999-01-01", "That moment lies in the future."),
        ("at=0", "Nothing is kept for longer than 400 days."),
        ("at=1h&each=<b>", "not by &lt;b&gt;"),
        ("at=-1", "is neither a time"),
    ],
)
async def test_a_moment_that_cannot_be_is_refused(operator: Client, made: Maker, query: str, sentence: str) -> None:
    for page in ("/admin/queues", "/admin/queues/csv-export"):
        answer = await operator.get(f"{page}?{query}")
        assert answer.status_code == 400 and sentence in answer.text


@pytest.mark.parametrize(
    ("age_ms", "each", "tier", "coarser"),
    [
        (HOUR_MS, "", "minute", False),
        (HOUR_MS, "day", "day", False),
        (3 * DAY_MS, "", "hour", False),
        (3 * DAY_MS, "minute", "hour", True),
        (40 * DAY_MS, "hour", "day", True),
        (0, "", "minute", False),
    ],
)
def test_a_moment_is_shown_in_the_finest_piece_that_is_kept(age_ms: int, each: str, tier: str, coarser: bool) -> None:
    past = read_past(str(NOW_MS - age_ms), each, NOW_MS)
    assert (past.tier, past.coarser) == (tier, coarser)
    assert past.first_ms <= past.at_ms <= past.last_ms + 1 and past.last_ms <= NOW_MS
    assert past.moved("day", 41) is None and past.moved("hour", -1) == past.at_ms - HOUR_MS
