"""From the upload to the video in its formats, through the API, the queue and the stock worker of `media`."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.api.conftest import acme, anonymous, app, globex, served
from tests.documents.videos.clips import clip, made, picture
from tests.prepared import Process, started
from tests.waiting import wait_until, wait_until_async

__all__ = ["acme", "anonymous", "app", "globex", "served"]

Start = Callable[[], Process]


@pytest.fixture
def start_worker(settings_env: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts `arq tasks.workers.Media`; all of them end with the test."""
    running: list[Process] = []
    log = tmp_path / "worker.log"

    def start() -> Process:
        with log.open("ab") as output:
            environment = os.environ | settings_env | {"OFFLOAD_LEASE_S": "1"}
            running.append(started("arq", ["tasks.workers.Media"], environment, output))
        return running[-1]

    yield start
    for worker in running:
        worker.kill()
        worker.wait()
    print(log.read_text()[-4000:] if log.exists() else "")


async def uploaded(client: httpx.AsyncClient, data: bytes, name: str = "clip.mp4") -> dict[str, Any]:
    answer = await client.post("/api/files", files={"file": (name, data)})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def job_of(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    return dict((await client.get(f"/api/jobs/{job_id}")).json())


async def test_an_upload_is_measured_and_what_cannot_be_a_video_is_refused(acme: httpx.AsyncClient) -> None:
    document = await uploaded(acme, clip("wide"))
    assert document | {"media_type": "video/mp4", "pages": 0, "width": 1000, "height": 500} == document
    assert document["duration_seconds"] == pytest.approx(1.0, abs=0.1)
    assert (await acme.get(f"/api/files/{document['file_id']}")).json() == document
    for data, status_code, sentence in [
        (b"Only text.", 415, "clip.mp4 is a text file, which is not read here; send "),
        (clip("sound"), 415, "clip.mp4 has no picture, only sound."),
        (clip("plain")[:6000], 400, "clip.mp4 is cut short: the end of the video is missing."),
    ]:
        refused = await acme.post("/api/files", files={"file": ("clip.mp4", data)})
        assert (refused.status_code, refused.json()["detail"][: len(sentence)]) == (status_code, sentence)
    # What other jobs cannot do with a video they say before the 202.
    file_id = document["file_id"]
    assert (await acme.post("/api/jobs/pdf-ocr", json={"file_id": file_id})).status_code == 415
    assert (await acme.get(f"/api/documents/{file_id}/thumbnails/150")).status_code == 422
    assert (await acme.post("/api/images", files={"file": ("clip.mp4", clip("plain"))})).status_code == 415
    refused = await acme.post("/api/jobs/video-transcode", json={"file_id": file_id, "formats": ["480p", "4k"]})
    assert refused.status_code == 400 and refused.json()["errors"] == [
        {
            "field": "formats",
            "message": "clip.mp4 is 1,000 × 500 pixels, which 720p holds whole: 4k would not be larger. "
            "Ask for 480p or 720p.",
        }
    ]
    unknown = await acme.post("/api/jobs/video-transcode", json={"file_id": file_id, "formats": ["360p"]})
    assert unknown.status_code == 400 and unknown.json()["errors"][0]["field"].startswith("formats")


async def test_a_video_is_made_when_asked_for_and_served_with_ranges(
    acme: httpx.AsyncClient, globex: httpx.AsyncClient, start_worker: Start
) -> None:
    file_id = (await uploaded(acme, clip("plain"), "my clip.mov"))["file_id"]
    url = f"/api/documents/{file_id}/videos"
    requested = await acme.get(f"{url}/480p")
    assert requested.status_code == 202 and requested.headers["retry-after"]
    assert (await acme.get(f"{url}/480p")).json()["job_id"] == requested.json()["job_id"]
    assert (await globex.get(f"{url}/480p")).status_code == 404
    assert (await acme.get(f"{url}/1080p")).status_code == 422
    assert (await acme.get(f"{url}/360p")).status_code == 400
    start_worker()
    job_id = requested.json()["job_id"]

    async def ended() -> bool:
        return (await job_of(acme, job_id))["status"] in ("completed", "failed")

    await wait_until_async(ended)
    job = await job_of(acme, job_id)
    assert job["status"] == "completed", job
    assert [one["format"] for one in job["result"]["formats"]] == ["480p"] and len(job["parts"]) == 2
    whole = await acme.get(f"{url}/480p")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert len(whole.content) == job["result"]["formats"][0]["bytes"] and whole.content[4:8] == b"ftyp"
    assert 'filename="my clip-480p.mp4"' in whole.headers["content-disposition"]
    part = await acme.get(f"{url}/480p", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    beyond = await acme.get(f"{url}/480p", headers={"Range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416
    same = await acme.get(f"{url}/480p", headers={"If-None-Match": whole.headers["etag"]})
    assert same.status_code == 304
    for name in ("poster", "strip"):
        still = await acme.get(job["result"][f"{name}_url"])
        assert (still.status_code, still.headers["content-type"]) == (200, "image/webp")
    assert (await acme.delete(f"/api/files/{file_id}")).status_code == 204
    assert (await acme.get(f"{url}/480p")).status_code == 404


@pytest.mark.chaos
@pytest.mark.slow
async def test_a_killed_worker_takes_its_encoder_with_it_and_only_unfinished_parts_are_repeated(
    acme: httpx.AsyncClient, served: Any, start_worker: Start
) -> None:
    long = made("mkv", *picture(960, 540, 12, 30), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "45")
    file_id = (await uploaded(acme, long))["file_id"]
    sent = await acme.post("/api/jobs/video-transcode", json={"file_id": file_id, "formats": ["480p", "720p"]})
    assert sent.status_code == 202, sent.text
    job_id = sent.json()["job_id"]
    worker = start_worker()

    def second() -> psutil.Process | None:
        """The encoder of the second format. By its name it has replaced its launcher, and is tied to the worker."""
        for one in psutil.Process(worker.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if "ffmpeg" in one.name() and "r1-720p.mp4" in " ".join(one.cmdline()):
                    return one
        return None

    encoder = await wait_until_async(second)
    # It must not be done before its worker is killed, however slow that is.
    encoder.suspend()
    below = psutil.Process(worker.pid).children(recursive=True)
    assert encoder in below
    worker.kill()
    worker.wait()
    wait_until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in below))
    (first,) = await served.services.storage.list(f"documents/{file_id}/videos")
    assert first.endswith("r1-480p.mp4")
    path = served.services.storage.local_path(first)
    before = path.stat().st_mtime_ns
    start_worker()

    async def ended() -> bool:
        return (await job_of(acme, job_id))["status"] in ("completed", "failed")

    await wait_until_async(ended)
    job = await job_of(acme, job_id)
    assert job["status"] == "completed", job
    assert [one["attempt"] for one in job["parts"]] == [1, 2, 1]
    assert path.stat().st_mtime_ns == before and job["result"]["failed"] == []
