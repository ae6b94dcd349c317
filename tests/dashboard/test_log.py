"""A job's log: on its page, by level, masked, and asked for again only when it has changed."""

import re

import msgspec

from dashboard.jobs.log import _lines
from service.engine.store import LogLine
from service.lib.clock import now_ms
from tests.dashboard.conftest import Client
from tests.dashboard.made import Maker


async def logged(made: Maker, job_id: str, *lines: tuple[str, str, dict[str, str]], at_ms: int = 0) -> None:
    """Lines as a task's run writes them."""
    rows = [LogLine(at_ms or now_ms(), level, 1, event, fields) for level, event, fields in lines]
    await made.store.logged(job_id, [msgspec.json.encode(row) for row in rows])


async def test_the_log_stands_on_the_job_page_and_by_itself(operator: Client, made: Maker) -> None:
    job = await made.active()
    await logged(
        made, job.id, ("info", "page read", {"page": "7"}), ("warning", "<b>slow</b>", {"why": "line 1\nline 2"})
    )
    for path in (f"/admin/jobs/{job.id}", f"/admin/jobs/{job.id}/log"):
        page = (await operator.get(path)).text
        assert "page read" in page and "&lt;b&gt;slow&lt;/b&gt;" in page and "<summary>why</summary>" in page
    assert "Nothing has been logged." in (await operator.get(f"/admin/jobs/{await made.queued()}/log")).text
    assert (await operator.get("/admin/jobs/nothing/log")).status_code == 404


async def test_a_level_shows_itself_and_what_is_graver(operator: Client, made: Maker) -> None:
    job = await made.active()
    levels = ("debug", "info", "warning", "error", "critical")
    await logged(made, job.id, *((level, f"said at {level}", {}) for level in levels))
    for least, shown in (("", 5), ("info", 4), ("warning", 3), ("error", 2), ("nonsense", 5)):
        page = (await operator.get(f"/admin/jobs/{job.id}/log?level={least}")).text
        assert [f"said at {level}" in page for level in levels] == [False] * (5 - shown) + [True] * shown


async def test_a_log_that_has_not_changed_is_answered_with_nothing(operator: Client, made: Maker) -> None:
    job = await made.active()
    await logged(made, job.id, ("info", "first", {}))
    page = (await operator.get(f"/admin/jobs/{job.id}?level=info")).text
    live = re.search(r'hx-get="(/admin/jobs/[^"]+/log/live[^"]+seen[^"]+)"', page)
    assert live and "level=info" in live[1]
    address = live[1].replace("&amp;", "&")
    quiet = await operator.get(address)
    assert (quiet.status_code, quiet.content) == (204, b"")
    await logged(made, job.id, ("info", "second", {}))
    changed = await operator.get(address)
    assert changed.status_code == 200 and "second" in changed.text and "<html" not in changed.text


async def test_the_log_is_no_longer_followed_once_the_job_has_long_ended(operator: Client, made: Maker) -> None:
    job_id = await made.completed(await made.active())
    assert "data-live" in (await operator.get(f"/admin/jobs/{job_id}/log")).text, "its last lines may be on their way"
    await made.store.redis.hset(f"offload:job:{job_id}", "finished_ms", now_ms() - 60_000)
    ended = await operator.get(f"/admin/jobs/{job_id}/log/live")
    assert ended.status_code == 286 and "data-live" not in ended.text


def test_a_line_keeps_its_key_while_older_ones_go_and_newer_ones_come() -> None:
    lines = [LogLine(at_ms, "info", 1, f"{at_ms}", {}) for at_ms in (5, 5, 6, 7, 7, 7)]
    before = {line.key: line.event for line in _lines(lines)}
    after = {line.key: line.event for line in _lines([*lines[1:], LogLine(8, "info", 1, "8", {})])}
    assert len(before) == 6 and len(after) == 6
    assert (
        all(before[key] == after[key] for key in before.keys() & after.keys())
        and len(before.keys() & after.keys()) == 5
    )
