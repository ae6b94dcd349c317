"""Real workers on what lies encrypted in the storage, and on a document that waits for its malware scan."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.lib.storage.sealed_object import MAGIC
from settings import load_settings
from settings.encryption import encoded
from tests.api.conftest import Served
from tests.api.test_uploads import begun, sent
from tests.clamd import speaking, verdicts
from tests.documents.hostile.stack import Stack
from tests.documents.images.pictures import saved, scene
from tests.documents.videos.clips import clip
from tests.mail.campaigning import make_template
from tests.mail.conftest import add_users, user
from tests.mail.servers import serving
from tests.ocr.documents import text_pdf
from tests.waiting import wait_until_async
from tests.workers import workers

WORD = "Xylophonkonzert"
RELEASED_S = 120.0
"""A held document is looked at again every 30 s, and its job some seconds later."""


@contextlib.contextmanager
def started(settings_env: dict[str, str], folder: Path, *names: str) -> Iterator[None]:
    """Workers by the names of their settings classes."""
    with contextlib.ExitStack() as all_of_them:
        for name in names:
            all_of_them.enter_context(workers(f"tasks.workers.{name}", folder, settings_env))()
        yield


async def resumed(client: httpx.AsyncClient, content: bytes) -> str:
    """Id of a file that was sent in two pieces."""
    at, half = await begun(client, len(content)), len(content) // 2
    assert (await sent(client, at, 0, content[:half])).status_code == 204
    await sent(client, at, half, content[half:])
    return str((await client.get(at)).json()["file_id"])


async def test_every_kind_of_work_on_encrypted_files(
    acme: httpx.AsyncClient,
    served: Served,
    settings_env: dict[str, str],
    tmp_path: Path,
) -> None:
    data, stack = Path(settings_env["OFFLOAD_DATA_DIR"]), Stack(acme, [])
    await add_users(served.services.database, user(1, name=WORD))
    read = await resumed(acme, text_pdf(words=20)[0])
    photo, video = [
        (await acme.post("/api/files", files={"file": ("f", content)})).json()["file_id"]
        for content in (saved(scene(300, 200), "JPEG"), clip("plain"))
    ]
    names = ("Thumbnails", "PdfProcessing", "CsvExport", "EmailSender", "Media")
    async with serving() as sink:
        with started(settings_env | {"OFFLOAD_SMTP_URL": sink.url}, tmp_path, *names):
            template = await make_template(acme)
            jobs = [
                await stack.ended("thumbnails", {"document_ids": [read, photo], "sizes": [150]}),
                await stack.ended("image-process", {"file_id": photo}),
                await stack.ended("pdf-ocr", {"file_id": read, "text_layer": "only"}),
                await stack.ended("csv-export", {"dataset": "users"}),
                await stack.ended("video-transcode", {"file_id": video}),
                await stack.ended("email-batch", {"segment": "all", "template_id": template}),
            ]
    assert [(job["type"], job["error"]) for job in jobs if job["status"] != "completed"] == []
    assert [one.message["Subject"] for one in sink.caught] == [f"Hello {WORD}"]
    exported = (await acme.get(f"/api/jobs/{jobs[3]['id']}/files/export.csv")).text
    assert WORD in exported
    stored = [path for path in (data / "files").rglob("*") if path.is_file()]
    assert len(stored) > 12 and [path for path in stored if not path.read_bytes().startswith(MAGIC)] == []


@pytest.fixture
def settings_env(
    settings_env: dict[str, str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, str]:
    if "encrypted" in request.node.name:
        more = {"OFFLOAD_ENCRYPTION_KEYS": f"a:{encoded(bytes(32))}"}
    else:
        more = {"OFFLOAD_CLAMD_URL": f"clamd+unix://{tmp_path}/scanner.sock", "OFFLOAD_SCAN_FAILURE": "hold"}
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    return settings_env | more


async def test_a_job_waits_for_the_scan_of_its_held_document(
    acme: httpx.AsyncClient, settings_env: dict[str, str], tmp_path: Path
) -> None:
    file_id = (await acme.post("/api/files", files={"file": ("f", saved(scene(300, 200), "JPEG"))})).json()["file_id"]
    job_id = (await acme.post("/api/jobs/image-process", json={"file_id": file_id})).json()["job_id"]

    async def waits() -> bool:
        job = (await acme.get(f"/api/jobs/{job_id}")).json()
        assert job["status"] != "failed", job["error"]
        return job["status"] == "retrying"

    async def done() -> bool:
        return (await acme.get(f"/api/jobs/{job_id}/status")).json()["status"] == "completed"

    with started(settings_env, tmp_path, "Thumbnails"):
        await wait_until_async(waits)
        async with speaking(tmp_path, verdicts):
            await wait_until_async(done, RELEASED_S)
    assert (await acme.get(f"/api/files/{file_id}")).json()["scan"] == "clean"
