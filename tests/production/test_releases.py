"""The last version and the present one on one queue server and one database, over jobs of every state, both ways."""

import io
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.supervisor.valkey import EmbeddedValkey
from tests.production.harness import ROOT, Installation
from tests.waiting import wait_until_async

JOBS = 10
NEWEST_MIGRATION = ("log", "-1", "--diff-filter=A", "--format=%H", "--", "service/database/migrations/versions/*.py")
"""Where no version is tagged, the last one is that before the newest migration: the present one migrates its database."""


def git(*words: str) -> bytes:
    """Output of git, empty where it has no answer."""
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True).stdout


@pytest.fixture(scope="module")
def last_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the last version, which runs in the present environment."""
    commit = git("describe", "--tags", "--abbrev=0", "HEAD~1").decode().strip()
    if not commit and (added := git(*NEWEST_MIGRATION).decode().strip()):
        commit = f"{added}~1"
    archive = git("archive", commit) if commit else b""
    if not archive:
        pytest.skip(
            "the clone has neither a tagged version nor the newest migration's commit: there is no last version"
        )
    folder = tmp_path_factory.mktemp("last-version")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def revision(installation: Installation) -> str:
    """Revision of the installation's database."""
    with closing(sqlite3.connect(installation.folder / "data" / "offload.db")) as database:
        (number,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(number)


@pytest.mark.parametrize("first", ["last", "present"])
async def test_two_versions_take_over_each_other_s_jobs(
    install: Callable[..., Installation], queue_server: EmbeddedValkey, last_version: Path, first: str
) -> None:
    roots = {"last": last_version, "present": ROOT}
    second = "present" if first == "last" else "last"
    installation = install(OFFLOAD_REDIS_URL=queue_server.url)
    installation.root = roots[first]
    installation.start_web()
    worker = installation.start_worker()
    await installation.send(JOBS, pace_s=0)
    await installation.send(2, pace_s=0, kind="stumble", payload={"times": 9})
    dead = list(installation.accepted.values())[-2:]
    soon = (datetime.now(UTC) + timedelta(seconds=20)).isoformat()
    await installation.send(JOBS, pace_s=0, payload={"schedule_at": soon})
    stopped = list(installation.accepted.values())[-2:]
    async with installation.client() as client:
        for job_id in stopped:
            assert (await client.post(f"/api/jobs/{job_id}/cancel")).status_code == 202

        async def failed() -> bool:
            return [await installation.status(client, job_id) for job_id in dead] == ["failed", "failed"]

        await wait_until_async(failed)
    # Some run, some wait and some are to be tried again as the other version comes.
    await installation.send(JOBS, pace_s=0, payload={"nap_s": 3})
    await installation.send(JOBS, pace_s=0, kind="stumble")
    installation.root = roots[second]
    before, first_url = revision(installation), installation.url
    installation.start_web()
    installation.start_worker()
    assert (revision(installation) == before) == (first == "present"), (
        "the present version migrates, the last one does not"
    )
    # Both versions answer and work for a while, on the database of the newer one.
    second_url, installation.url = installation.url, first_url
    await installation.send(JOBS, pace_s=0)
    installation.url = second_url
    worker.end()
    await installation.send(JOBS, pace_s=0)
    async with installation.client() as client:
        assert [await installation.status(client, job_id) for job_id in (*dead, *stopped)] == [
            *("failed", "failed"),
            *("cancelled", "cancelled"),
        ]
        for job_id in stopped:
            assert (await client.post(f"/api/jobs/{job_id}/retry")).status_code == 202
    row = await installation.count(f"two versions: the {second} one takes over")
    assert (row.jobs, row.lost, row.twice, row.stuck, row.remarks) == (6 * JOBS + 2, 0, 0, 0, "2 failed")
