"""The same where everything lies in a bucket: documents are fetched to be drawn, and pictures are kept whole."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.documents.thumbnails.cleanup import Upkeep
from tasks.images.variants import SIZES, Variant, variants
from tests.documents.images.conftest import Worker, uploaded
from tests.documents.images.pictures import pdf_with, saved, scene
from tests.s3 import s3_endpoint, s3_url

__all__ = ["s3_endpoint", "s3_url"]


@pytest.fixture
def settings_env(settings_env: dict[str, str], s3_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The installation's storage is a bucket, for the API here and for the worker."""
    monkeypatch.setenv("OFFLOAD_STORAGE_URL", s3_url)
    return settings_env | {"OFFLOAD_STORAGE_URL": s3_url}


@pytest.fixture
def start_worker(settings_env: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], None]]:
    """A worker on the bucket."""
    started: list[Worker] = []
    yield lambda: started.append(Worker(settings_env, tmp_path / "worker.log"))
    for worker in started:
        worker.end()


async def test_from_the_upload_to_the_picture(acme, served, start_worker, follow) -> None:
    storage, files = served.services.storage, served.services.files
    assert storage.root is None, "nothing of it lies on a disk of ours"
    start_worker()
    jpeg = saved(scene(600, 400), "JPEG")
    ids = [await uploaded(acme, jpeg), await uploaded(acme, pdf_with(scene(300, 200), (450, 300)), "scene.pdf")]
    bad = await uploaded(acme, jpeg[:3000])
    answer = await acme.post("/api/jobs/thumbnails", json={"document_ids": [*ids, bad]})
    result = (await follow(answer.json()["job_id"]))["result"]
    assert (result["made"], result["failed"]) == (2, 1)
    for file_id in ids:
        for size in SIZES:
            picture = await acme.get(f"/api/documents/{file_id}/thumbnails/{size}")
            assert picture.status_code == 200 and "max-age=3600" in picture.headers["cache-control"]
    refused = await acme.get(f"/api/documents/{bad}/thumbnails/150")
    assert refused.status_code == 422 and "damaged" in refused.json()["detail"]

    upkeep, sha256 = Upkeep(storage, served.services.database), (await files.describe(ids[0])).sha256
    at = f"thumbnails/{sha256[:2]}/{sha256}"
    assert await upkeep.neglected(sha256[:2], variants(SIZES)) == []
    await storage.delete(f"{at}/{Variant(300, 'webp').name}")
    assert await upkeep.neglected(sha256[:2], variants(SIZES)) == [ids[0]]
    await files.delete(ids[0])
    assert await upkeep.tidy(sha256[:2]) == len(variants(SIZES)) - 1
    assert await storage.list(at) == []
