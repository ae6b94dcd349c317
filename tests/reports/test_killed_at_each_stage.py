"""A report whose workers get kill -9 at each stage: no second report, no second mail, and one id that tells of both."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from service.database.seed_events import seed_events
from tests.mail.campaigning import ended, submit
from tests.mail.conftest import Served
from tests.mail.servers import serving
from tests.waiting import wait_until_async
from tests.workers import ROOT

MAKER = ("read", "set", "stored", "chained", "completed")
"""Stages of the report at which its worker dies: rows read, set, kept, the mail chained, the completion written."""

SENDER = ("claimed", "sent", "noted")
"""Stages of the mail: claimed but not sent, taken by the server but not noted, noted but not settled."""

STAGES = (*MAKER, *SENDER)


@contextlib.asynccontextmanager
async def kept_alive(queue: str, environment: dict[str, str], log: Path) -> AsyncIterator[None]:
    """A worker of the queue, and another whenever it died."""

    async def keep() -> None:
        while True:
            with log.open("ab") as output:
                worker = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "arq", f"tests.reports.workers.{queue}",
                    cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT,
                )  # fmt: skip
            try:
                await worker.wait()
            finally:
                if worker.returncode is None:
                    worker.kill()
                    await worker.wait()

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        print(log.read_text()[-6000:])


@pytest.mark.chaos
@pytest.mark.slow
async def test_no_second_report_and_no_second_mail(
    acme: httpx.AsyncClient, served: Served, settings_env: dict[str, str], tmp_path: Path
) -> None:
    await seed_events(served.services.database, 20, ["acme"])
    marks = tmp_path / "marks"
    marks.mkdir()
    async with serving() as sink:
        environment = os.environ | settings_env | {
            "MARKS": str(marks),
            "OFFLOAD_LEASE_S": "3",
            "OFFLOAD_SMTP_URL": sink.url,
            "OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE": "0",
            # A worker's death is one job's alone.
            "OFFLOAD_QUEUES__EMAIL_SENDER__JOBS_AT_ONCE": "1",
        }  # fmt: skip
        body = {"report": "activity", "from": "2024-01-01", "to": "2026-10-31"}

        async def ask(stage: str) -> str:
            return await submit(acme, "report-pdf", **body, recipients=[f"{stage}@example.com"])

        # The answer to a completion may bring the next job along, which would die with it: that one comes alone.
        jobs = {stage: await ask(stage) for stage in STAGES if stage != "completed"}
        async with (
            kept_alive("CsvExport", dict(environment), tmp_path / "maker.log"),
            kept_alive("EmailSender", dict(environment), tmp_path / "sender.log"),
        ):
            reports = {stage: await ended(acme, job_id, limit_s=180) for stage, job_id in jobs.items()}
            jobs["completed"] = await ask("completed")
            reports["completed"] = await ended(acme, jobs["completed"], limit_s=180)

            async def mailed() -> bool:
                found = [(await acme.get(f"/api/jobs/{job_id}/status")).json() for job_id in jobs.values()]
                return all(one["next_jobs"] and one["next_jobs"][0]["finished_at"] for one in found)

            await wait_until_async(mailed, limit_s=180)
    assert {path.name for path in marks.iterdir()} == {*STAGES, "sets"}, "each stage was died at"
    assert {one["status"] for one in reports.values()} == {"completed"}
    assert sink.by_recipient == Counter(f"{stage}@example.com" for stage in STAGES)
    sets = Counter((marks / "sets").read_text().split())
    assert sets == Counter(f"{stage}@example.com" for stage in STAGES), "each report was set once"
    assert len((await acme.get("/api/jobs?type=mail-file")).json()["jobs"]) == len(STAGES)
    for stage, job_id in jobs.items():
        status = (await acme.get(f"/api/jobs/{job_id}/status")).json()
        (mail,) = status["next_jobs"]
        assert (mail["type"], mail["status"], mail["id"]) == ("mail-file", "completed", status["result"]["mail_job_id"])
        # The server may have taken what was sent when the sender died: it is in doubt, and not sent again.
        assert mail["data"]["unknown" if stage == "sent" else "sent"] == 1, (stage, mail)
        assert [one["name"] for one in status["files"]] == ["report.pdf"]
        detail = (await acme.get(f"/api/jobs/{job_id}")).json()
        crashed = [one["outcome"] for one in detail["attempts"]]
        assert crashed == (["crashed", "completed"] if stage in MAKER[:-1] else ["completed"]), stage
