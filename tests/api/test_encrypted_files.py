"""Encryption at rest as clients meet it: files come back as they were, and none that is stored holds a word of them."""

from pathlib import Path

import httpx
import pytest

from service.documents.videos.store import VideoStore
from service.lib.encryption import KeyMissing
from service.lib.storage.sealed_object import MAGIC
from settings import load_settings
from settings.encryption import encoded
from tests.api.conftest import Served
from tests.api.hands import Hands
from tests.api.test_uploads import begun, offset, sent
from tests.documents.samples import pdf

WORD = b"Xylophonkonzert4711"
CONTENT = pdf(2) + b"%" + WORD * 10_000


@pytest.fixture
def settings_env(settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("OFFLOAD_ENCRYPTION_KEYS", f"a:{encoded(bytes(32))}")
    load_settings.cache_clear()
    return settings_env


async def test_no_stored_file_holds_a_planted_word(
    acme: httpx.AsyncClient, served: Served, hands: Hands, settings_env: dict[str, str], tmp_path: Path
) -> None:
    file_id = (await acme.post("/api/files", files={"file": ("scan.pdf", CONTENT)})).json()["file_id"]
    job_id = (await acme.post("/api/jobs/pdf-ocr", json={"file_id": file_id})).json()["job_id"]
    await hands.complete(await hands.take(), text_txt=WORD, pages_json=WORD * 50_000)
    at = await begun(acme, len(CONTENT) * 2)
    assert (await sent(acme, at, 0, CONTENT)).status_code == 204, "an upload that is not finished"
    video = VideoStore(served.services.database, served.services.storage)
    (tmp_path / "video").write_bytes(WORD * 1000)
    await video.keep(file_id, "r1-480p.mp4", tmp_path / "video")

    stored = [path for path in (Path(settings_env["OFFLOAD_DATA_DIR"]) / "files").rglob("*") if path.is_file()]
    assert len(stored) == 5 and all(path.read_bytes().startswith(MAGIC) for path in stored)
    data = Path(settings_env["OFFLOAD_DATA_DIR"])
    assert [path for path in data.rglob("*") if path.is_file() and WORD in path.read_bytes()] == []

    got = await acme.get(f"/api/files/{file_id}/content")
    assert got.content == CONTENT and got.headers["content-length"] == str(len(CONTENT))
    part = await acme.get(f"/api/files/{file_id}/content", headers={"Range": "bytes=65530-65545"})
    assert (part.status_code, part.content) == (206, CONTENT[65_530:65_546])
    assert (await acme.get(f"/api/jobs/{job_id}/files/text.txt")).content == WORD
    assert await offset(acme, at) == len(CONTENT)
    assert await video.size(file_id, "r1-480p.mp4") == len(WORD) * 1000


async def test_a_file_whose_key_is_gone_is_named(acme: httpx.AsyncClient, served: Served, tmp_path: Path) -> None:
    file_id = (await acme.post("/api/files", files={"file": ("scan.pdf", CONTENT)})).json()["file_id"]
    served.services.storage.keyring = None
    answer = await acme.get(f"/api/files/{file_id}/content")
    assert answer.status_code == 500
    assert answer.json()["detail"] == (
        f"The stored file documents/{file_id}/content is encrypted with the key 'a', "
        "which is not in OFFLOAD_ENCRYPTION_KEYS."
    )
    with pytest.raises(KeyMissing):
        await served.services.files.local(file_id, tmp_path)
    assert not [*tmp_path.glob("file-*")]
