"""Failed jobs by cause."""

import re

import pytest

from service.engine.states import State
from tests.dashboard.conftest import VIEWER, Client, act
from tests.dashboard.made import Maker
from tests.waiting import wait_until_async


async def failed_alike(made: Maker, count: int) -> tuple[str, list[str]]:
    """Jobs that failed of one cause, newest last, and its fingerprint."""
    ids = [await made.failed(await made.active(), error=f"page {n} is blank") for n in range(count)]
    (group,) = await made.store.error_groups.list()
    return group.fingerprint, ids


async def test_failures_of_one_cause_stand_as_one(operator: Client, made: Maker) -> None:
    cause, _ = await failed_alike(made, 3)
    page = (await operator.get("/admin/errors")).text
    assert page.count("data-row") == 1 and f"/admin/errors/{cause}" in page and "Open" in page
    group = (await operator.get(f"/admin/errors/{cause}")).text
    assert "3 failed jobs" in group and group.count('id="row-') == 3


async def test_all_jobs_of_a_cause_are_found_page_by_page(
    operator: Client, made: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.errors.views.PAGE_ROWS", 2)
    cause, ids = await failed_alike(made, 5)
    await made.failed(await made.active(), error="the disk is full")
    seen: list[str] = []
    address: str | None = f"/admin/errors/{cause}"
    while address:
        page = (await operator.get(address)).text
        seen += re.findall(r'id="row-([^"]+)"', page)
        older = re.search(r'href="(/admin/errors/[^"]+cursor=[^"]+)"', page)
        address = older[1] if older else None
    assert seen == ids[::-1]
    assert (await operator.get(f"/admin/errors/{cause}?cursor=elsewhere")).status_code == 400


async def test_an_error_is_ignored_resolved_and_found_by_its_life(operator: Client, made: Maker) -> None:
    cause, _ = await failed_alike(made, 1)
    for life, message in (("ignored", "Ignored: it no longer"), ("resolved", "Resolved. Should it be")):
        answer = await act(operator, f"/admin/errors/{cause}/life", life=life)
        assert message in (await operator.get(answer.headers["location"])).text
        assert cause in (await operator.get(f"/admin/errors?life={life}")).text
    assert cause not in (await operator.get("/admin/errors?life=open")).text
    await made.failed(await made.active(), error="page 9 is blank")
    assert cause in (await operator.get("/admin/errors?life=regressed")).text


async def test_a_life_that_does_not_exist_is_named(operator: Client, made: Maker) -> None:
    cause, _ = await failed_alike(made, 1)
    answer = await act(operator, f"/admin/errors/{cause}/life", life="regressed")
    assert answer.status_code == 400 and "not regressed" in answer.text


async def test_a_canary_tries_a_few_and_leaves_the_rest(operator: Client, made: Maker) -> None:
    cause, ids = await failed_alike(made, 7)
    answer = await act(operator, f"/admin/errors/{cause}/canary")
    assert answer.headers["location"].startswith("/admin/operations/retry-")

    async def tried() -> bool:
        return (await made.store.counts())["pdf-processing"][State.QUEUED] == 5

    await wait_until_async(tried)
    assert [job.id for job in await made.store.get_many(ids[:2]) if job and job.state == "failed"] == ids[:2]


async def test_a_viewer_reads_and_does_not_act(operator: Client, made: Maker) -> None:
    cause, _ = await failed_alike(made, 1)
    operator.auth = VIEWER
    page = (await operator.get(f"/admin/errors/{cause}")).text
    assert "page 0 is blank" in page and 'method="post"' not in page and "Retry all" not in page


async def test_an_unknown_error_is_a_404_and_none_is_good_news(operator: Client) -> None:
    assert (await operator.get("/admin/errors/abc")).status_code == 404
    assert "No job has failed for good." in (await operator.get("/admin/errors")).text
