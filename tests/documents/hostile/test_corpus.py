"""Files made to harm go through a real installation: each ends in one sentence, and nothing is dead or left afterwards.

The workers run without the sandbox, so that it is their readers that start no program and reach for no address.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import acme, app, served
from tests.documents.hostile.pdfs import greedy_pdfs, hostile_pdfs
from tests.documents.hostile.pictures import hostile_pictures
from tests.documents.hostile.stack import Canary, Outcome, Stack, left_below, odd_sentences
from tests.documents.hostile.videos import hostile_videos
from tests.documents.images.pictures import saved, scene
from tests.documents.videos.clips import clip
from tests.ocr.documents import text_pdf
from tests.waiting import wait_until
from tests.workers import workers

__all__ = ["acme", "app", "served"]

ESCAPED = Path("/tmp/offload-escaped")
"""Paths to which attachments and archives of the corpus would lead."""

REQUEST_S = 300.0
"""Limit of a request: an upload waits for its inspection, whose own limit is 30 s."""

GOOD = {
    "application/pdf": ("pdf-ocr", lambda: text_pdf(words=20)[0]),
    "image/": ("image-process", lambda: saved(scene(300, 200), "PNG")),
    "video/": ("video-transcode", lambda: clip("plain")),
}
"""By the beginning of a media type: its job, and a file that is one."""


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    canary = Canary()
    yield canary
    canary.close()


@pytest.fixture
async def stack(
    request: pytest.FixtureRequest, acme: httpx.AsyncClient, settings_env: dict[str, str], tmp_path: Path
) -> AsyncIterator[Stack]:
    """The workers that the test is marked with."""
    (tmp_path / "tmp").mkdir()
    acme.timeout = httpx.Timeout(REQUEST_S)
    environment = settings_env | {"OFFLOAD_SANDBOX": "off", "TMPDIR": str(tmp_path / "tmp"), "OFFLOAD_LEASE_S": "20"}
    with contextlib.ExitStack() as started:
        starts = [
            started.enter_context(workers(f"tasks.workers.{name}", tmp_path, environment)) for name in request.param
        ]
        yield Stack(acme, [start() for start in starts])


def started(*names: str) -> pytest.MarkDecorator:
    """Mark of a test that runs with workers of these settings classes."""
    return pytest.mark.parametrize("stack", [names], indirect=True, ids=["stack"])


async def unharmed(stack: Stack, media: str, tmp_path: Path) -> None:
    """The same workers do a good job of the kind; no program is left, no file, and none was written elsewhere."""
    kind, build = GOOD[media]
    outcomes = await stack.upload({"good": build})
    await stack.job_of_each(kind, outcomes, media)
    assert outcomes["good"].sentences == []
    assert [worker.poll() for worker in stack.workers] == [None] * len(stack.workers)
    wait_until(lambda: stack.programs() == [])
    wait_until(lambda: left_below(tmp_path / "tmp") == [])
    assert not ESCAPED.exists() and left_below(tmp_path / "data" / "uploads") == []


def unlike(outcomes: dict[str, Outcome], expected: dict[str, str]) -> dict[str, list[str]]:
    """Of `expected`, a phrase by file: files of which no sentence has it, with what they have."""
    return {
        name: outcomes[name].sentences
        for name, phrase in expected.items()
        if not any(phrase in sentence for sentence in outcomes[name].sentences)
    }


PDFS = {
    "page tree 20,000 deep": "The page is missing or damaged.",
    "no root": "file.bin is damaged or cut short: it begins like a PDF but cannot be opened as one.",
    "unknown password": "The PDF is encrypted and needs a password; upload it without one.",
    "unknown filter of protection": "file.bin is damaged or cut short",
}
"""A phrase of a sentence by file; others are read as far as they go."""

GREEDY = {
    # On an idle machine it comes to its memory first, which ends the reader.
    "forms ten times each, twelve deep": "It cannot be drawn",
    "pattern of endless tiles": "Reading the page took longer than 60 s.",
}

PICTURES = {
    "PNG of 65,000 × 65,000": "The picture has 65,000 × 65,000 pixels; at most 400 million can be read.",
    "PNG of no width": "file.bin is damaged or cut short: it begins like a PNG image but cannot be opened as one.",
    "PNG of a row of 10^8": "The picture takes more than 512 MB of memory to decode.",
    "PNG with a profile of 60 MB": "file.bin has a text or a colour profile that unpacks to more than 16 MB.",
    "PNG with a text of 60 MB": "file.bin has a text or a colour profile that unpacks to more than 16 MB.",
    "WebP of 16,384 × 16,384": "file.bin is damaged or cut short",
    "TIFF of 2^32 - 1": "The picture has 4,294,967,295 × 4,294,967,295 pixels",
    "TIFF of 10,000 frames": "file.bin has 10,001 pages: the limit is 5,000.",
    "JPEG of 65,500 × 65,500": "The picture has 65,500 × 65,500 pixels",
    "JPEG of noise": "The picture is damaged or cut short.",
    "JPEG 2000 of 60,000 × 60,000": "The picture has 60,000 × 60,000 pixels",
    "EPS by the name of a picture": "file.bin is a PostScript file, which is not read here",
    "SVG by the name of a picture": "file.bin is an SVG drawing, which is not read here",
    "archive by the name of a picture": "file.bin is a ZIP archive, which is not read here",
    "PNG that goes on as PostScript": "file.bin is damaged or cut short",
}

VIDEOS = {
    "playlist of an address": "file.bin is a text file, which is not read here",
    "list of files": "file.bin is a text file, which is not read here",
    "MP4 that begins a playlist": "file.bin is cut short",
    "AVI that begins a playlist": "file.bin has no video.",
    "MP4 that is an address": "file.bin has no video.",
    "AVI of 100,000 × 100,000": "cannot be read as one (Picture size 100000x100000 is invalid).",
    "AVI of no width": "cannot be read as one (dimensions not set).",
    "MP4 of 20,000 tracks": "Number of streams exceeds max_streams parameter (1000)",
    "sound alone": "file.bin has no picture, only sound.",
    "cut short": "file.bin is cut short: the end of the video is missing.",
}


@started("Thumbnails", "PdfProcessing")
async def test_pdfs(stack: Stack, canary: Canary, tmp_path: Path) -> None:
    outcomes = await stack.upload(hostile_pdfs(await canary.open()))
    await stack.thumbnails(outcomes)
    await stack.job_of_each("pdf-ocr", outcomes, "application/pdf", text_layer="only")
    assert (odd_sentences(outcomes), unlike(outcomes, PDFS)) == ({}, {})
    await unharmed(stack, "application/pdf", tmp_path)
    assert canary.visits == 0


@pytest.mark.long
@started("Thumbnails", "PdfProcessing")
async def test_pdfs_that_take_all_they_are_given(stack: Stack, tmp_path: Path) -> None:
    outcomes = await stack.upload(greedy_pdfs())
    await stack.thumbnails(outcomes)
    await stack.job_of_each("pdf-ocr", outcomes, "application/pdf", text_layer="only")
    assert (odd_sentences(outcomes), unlike(outcomes, GREEDY)) == ({}, {})
    await unharmed(stack, "application/pdf", tmp_path)


@started("Thumbnails")
async def test_pictures(stack: Stack, tmp_path: Path) -> None:
    outcomes = await stack.upload(hostile_pictures())
    await stack.thumbnails(outcomes)
    await stack.job_of_each("image-process", outcomes, "image/")
    assert (odd_sentences(outcomes), unlike(outcomes, PICTURES)) == ({}, {})
    await unharmed(stack, "image/", tmp_path)


@started("Media")
async def test_videos(stack: Stack, canary: Canary, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    outcomes = await stack.upload(hostile_videos(await canary.open(), str(secret)))
    await stack.job_of_each("video-transcode", outcomes, "video/")
    assert (odd_sentences(outcomes), unlike(outcomes, VIDEOS)) == ({}, {})
    await unharmed(stack, "video/", tmp_path)
    assert canary.visits == 0
