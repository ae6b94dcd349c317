"""The last runs of a job's task, as a drawing and as a table."""

from dashboard.jobs.history import LEAST, drawn
from service.engine.states import State
from service.engine.store.run_history import PastRun, last_runs
from settings import Queue
from tests.dashboard.conftest import Client
from tests.dashboard.made import Maker, made_type


async def test_the_last_runs_are_linked_in_the_drawing_and_in_the_table(operator: Client, made: Maker) -> None:
    completed = await made.completed(await made.active())
    failed = await made.failed(await made.active())
    cancelled = (await made.store.cancel(await made.queued())).id
    await made.completed(await made.active(made_type("thumbnails", Queue.THUMBNAILS)))
    page = (await operator.get(f"/admin/jobs/{failed}")).text
    section = page.partition('id="history"')[2].partition("</section>")[0]
    assert "The last 3 runs of pdf-ocr" in section and "1 completed, 1 failed, 1 cancelled" in section
    drawing, _, table = section.partition("</svg>")
    for job_id in (completed, failed, cancelled):
        assert drawing.count(f'href="/admin/jobs/{job_id}"') == table.count(f'href="/admin/jobs/{job_id}"') == 1
    assert drawing.count('class="mark"') == 1 and "(this job)" in table and "never" in table


async def test_only_so_many_of_the_newest_runs_are_read_and_none_is_no_drawing(operator: Client, made: Maker) -> None:
    for _ in range(3):
        await made.completed(await made.active())
    newest = await last_runs(made.store.redis, "pdf-processing", "pdf-ocr", 2)
    assert [run.state for run in newest] == [State.COMPLETED] * 2 and newest[0].created_ms <= newest[1].created_ms
    page = (await operator.get(f"/admin/jobs/{await made.queued(made_type('nobody-ran-it'))}")).text
    assert 'id="history"' not in page


async def test_one_run_is_not_called_several(operator: Client, made: Maker) -> None:
    job_id = await made.completed(await made.active(units=1))
    page = " ".join((await operator.get(f"/admin/jobs/{job_id}")).text.split())
    assert "The last run of pdf-ocr" in page and "1 completed; it took" in page
    assert "1 page" in page and "1 units" not in page


def test_height_is_duration_and_nothing_is_invisible() -> None:
    runs = [PastRun(f"job-{ms}", State.COMPLETED, 0, 1, ms) for ms in (0, 500, 1_000)]
    history = drawn(runs, "job-500")
    heights = [column.height for column in history.columns]
    assert (
        heights[0] == LEAST
        and heights[1] * 2 == heights[2]
        and [column.x for column in history.columns] == [57, 58, 59]
    )
    assert [column.here for column in history.columns] == [False, True, False] and history.longest == "1.0 s"
