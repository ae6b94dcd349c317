"""Damaged files, a few of each kind: a child reads each or names what is wrong, and lives."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.documents.inspection import inspect_file
from service.documents.media_types import PDF, media_type_of
from service.engine.pool.cpu_pool import CpuPool
from tasks.images.photo import process_photo
from tasks.images.thumbnails import render_thumbnails
from tasks.images.variants import variants
from tasks.sdk.errors import Permanent
from tests.documents.hostile.mutations import mutated
from tests.documents.hostile.stack import MACHINERY, SENTENCE
from tests.documents.images.pictures import pdf_with, saved, scene
from tests.documents.videos.clips import clip
from tests.ocr.documents import text_pdf

SEEDS = range(15)
LIMIT_S = 60.0
SCENE = scene(160, 120)
WHOLE = {
    "a page of words": lambda: text_pdf(pages=2, words=20)[0],
    "a page of a picture": lambda: pdf_with(SCENE, (160, 120)),
    **{
        kind: lambda kind=kind: saved(SCENE, kind)
        for kind in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF", "JPEG2000")
    },
    "video": lambda: clip("plain"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[CpuPool]:
    pool = CpuPool(1, memory_mb=1536, name="mutations")
    yield pool
    await pool.close()


def outcomes(data: bytes, seeds: list[int], path: Path) -> list[str]:
    """In a child: what is said of each mutation; empty where a picture was made of it."""
    found = []
    for seed in seeds:
        made = mutated(data, seed)
        path.write_bytes(made)
        media_type = media_type_of(made[:1024])
        fault = inspect_file(path, media_type).fault if media_type else "is of another kind"
        found.append(f"The file {fault}." if fault else _drawn(path, str(media_type)))
    return found


def _drawn(path: Path, media_type: str) -> str:
    try:
        if not media_type.startswith("video/"):
            render_thumbnails(path, variants([150], ["webp"]))
        if not media_type.startswith(("video/", PDF)):
            process_photo(path)
    except Permanent as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", WHOLE)
async def test_damaged_files_are_read_or_named(kind: str, tmp_path: Path, pool: CpuPool) -> None:
    data = WHOLE[kind]()
    found = await pool.run(outcomes, data, list(SEEDS), tmp_path / "file", timeout_s=LIMIT_S)
    assert any(found), "none of them was damage"
    odd = [text for text in found if text and (not SENTENCE.fullmatch(text) or any(word in text for word in MACHINERY))]
    assert odd == []


def test_the_same_seed_makes_the_same_damage() -> None:
    data = saved(SCENE, "PNG")
    assert mutated(data, 3) == mutated(data, 3) != mutated(data, 4)
