"""The workers' page."""

from dashboard.flash_messages import NOTICES
from service.engine.store import channels
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.made import Maker
from tests.waiting import LIMIT_S


async def test_a_worker_shows_what_it_is_and_does(operator: Client, made: Maker) -> None:
    job = await made.active()
    await made.worker(jobs=[job.id], active=1, pool_mb=4_000, granted_mb=1_900, waiting_for_memory=2, tried_alone=3)
    page = (await operator.get("/admin/workers")).text
    assert "Alive" in page and "1 of 2" in page and "734 MB" in page and "4712, 4713" in page
    assert f'href="/admin/jobs/{job.id}"' in page
    assert "1,900 of 4,000 MB expected" in page and "2 wait for memory" in page and "3 tried alone" in page


async def test_a_silent_worker_is_told_apart(operator: Client, made: Maker) -> None:
    await made.worker(silent_ms=60_000)
    assert "Silent for 1 min" in (await operator.get("/admin/workers/live")).text


async def test_no_worker_says_how_to_start_one(operator: Client) -> None:
    assert "arq tasks.workers.PdfProcessing" in (await operator.get("/admin/workers")).text


async def test_an_order_reaches_the_worker_and_is_audited(operator: Client, made: Maker) -> None:
    worker = await made.worker()
    pubsub = made.store.redis.pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe(channels.of_worker(worker))
    await pubsub.get_message(timeout=LIMIT_S)
    for verb, notice in (("quiet", "quieted"), ("resume", "unquieted"), ("stop", "stopping")):
        answer = await act(operator, f"/admin/workers/{worker}/{verb}")
        assert answer.headers["location"] == f"/admin/workers?notice={notice}"
        assert (await pubsub.get_message(timeout=LIMIT_S))["data"] == verb.encode()
        assert NOTICES[notice].words in (await operator.get(answer.headers["location"])).text
    await pubsub.aclose()
    lines = (await operator.get("/admin/audit", params={"target": worker})).text
    assert all(action in lines for action in ("worker.quieted", "worker.resumed", "worker.stopped"))


async def test_a_quiet_worker_can_be_resumed_and_a_stopping_one_is_left_alone(operator: Client, made: Maker) -> None:
    await made.worker()
    page = (await operator.get("/admin/workers")).text
    assert "/quiet" in page and "/stop" in page and "/resume" not in page
    await made.worker(quiet=True)
    page = (await operator.get("/admin/workers")).text
    assert "Quiet</span>" in page and "/resume" in page and "/quiet" not in page
    await made.worker(stopping=True)
    page = (await operator.get("/admin/workers")).text
    assert "Stopping</span>" in page and "/stop" not in page and "/quiet" not in page


async def test_a_worker_that_does_not_listen_or_is_none_is_named(operator: Client, made: Maker) -> None:
    worker = await made.worker()
    deaf = await act(operator, f"/admin/workers/{worker}/quiet")
    assert deaf.status_code == 409 and f"{worker} does not listen" in deaf.text
    unknown = await act(operator, "/admin/workers/nobody/stop")
    assert unknown.status_code == 404 and "There is no worker nobody." in unknown.text


async def test_a_viewer_orders_nothing_and_is_offered_nothing(operator: Client, made: Maker) -> None:
    worker = await made.worker()
    given = await token(operator)
    operator.auth = VIEWER
    assert (await operator.post(f"/admin/workers/{worker}/stop", data={"csrf": given})).status_code == 403
    assert "/stop" not in (await operator.get("/admin/workers")).text


async def test_jobs_that_wait_for_quiet_workers_alone_are_seen_on_the_first_page(operator: Client, made: Maker) -> None:
    await made.queued()
    await made.worker(quiet=True)
    page = (await operator.get("/admin/queues/live")).text
    assert "1 job of pdf-processing and only quiet or stopping workers" in page


async def test_a_job_that_waits_for_its_next_try_is_not_listed_as_running(operator: Client, made: Maker) -> None:
    running = await made.active()
    failed = await made.active(worker="pdf-processing:host:1")
    await made.retrying(failed)
    await made.worker(jobs=[running.id, failed.id], active=2)
    page = (await operator.get("/admin/workers")).text
    assert f'id="running-{running.id}"' in page and failed.id not in page
