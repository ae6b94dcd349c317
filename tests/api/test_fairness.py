"""An owner's own waiting: its numbers add up, and no other owner is named."""

import csv
import io
from datetime import UTC, datetime

import httpx
import pytest

from service.lib.clock import now_ms
from service.monitoring.fairness import Charge
from tests.api.conftest import Served

AMOUNTS = {
    Charge("acme", "globex", "pdf-ocr"): 41_000_000,
    Charge("acme", "acme", "pdf-ocr"): 2_500_000,
    Charge("acme", "", "paused"): 1_000_000,
    Charge("acme", "", "free"): 500_000,
    Charge("globex", "acme", "thumbnails"): 7_000_000,
}


async def test_an_owner_sees_how_long_it_waited_and_names_of_no_others(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, served: Served
) -> None:
    at_ms = now_ms()
    await served.services.fairness.add("thumbnails", at_ms, AMOUNTS)
    # The day of the amounts, should the test run over midnight.
    day = httpx.QueryParams(day=datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat())
    answer = await acme.get("/api/fairness", params=day)
    (row,) = answer.json()["queues"]
    assert row == {
        "queue": "thumbnails", "waited": 45.0, "for_others": 41.0, "for_itself": 2.5, "paused": 1.0, "breaker": 0.0,
        "no_worker": 0.0, "limit": 0.0, "free": 0.5, "cost_others": 7.0,
    }  # fmt: skip
    apart = sum(row[name] for name in ("for_others", "for_itself", "paused", "breaker", "no_worker", "limit", "free"))
    assert apart == row["waited"] and "globex" not in answer.text
    (other,) = (await globex.get("/api/fairness", params=day)).json()["queues"]
    assert (other["waited"], other["cost_others"]) == (7.0, 41.0)
    hours = [(await acme.get("/api/fairness", params=day.set("hour", hour))).json()["queues"] for hour in range(24)]
    assert [one for found in hours for one in found] == [row], "in one hour"
    lines = list(csv.DictReader(io.StringIO((await acme.get("/api/fairness.csv", params=day)).text)))
    assert lines == [{name: str(value) for name, value in row.items()}]
    assert (await acme.get("/api/fairness?day=2020-02-03")).json()["queues"] == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("day=soon", "'soon' is not a day: write it as 2026-11-29."),
        ("day=2026-02-30", "'2026-02-30' is not a day"),
        ("hour=24", "'24' is not an hour: write it as a number from 0 to 23."),
        ("hour=-1", "is not an hour"),
        ("hour=٣", "is not an hour"),
    ],
)
async def test_a_day_or_an_hour_that_is_none_is_refused(acme: httpx.AsyncClient, query: str, sentence: str) -> None:
    for path in ("/api/fairness", "/api/fairness.csv"):
        answer = await acme.get(f"{path}?{query}")
        assert answer.status_code == 400 and sentence in answer.json()["detail"]
