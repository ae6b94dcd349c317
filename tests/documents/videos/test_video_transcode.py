"""Every kind of video to H.264 and AAC, by the real encoder."""

import asyncio
import io
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from PIL import Image

from tasks.sdk import Permanent, Refused
from tasks.sdk.testing import LocalRun
from tasks.video.ffmpeg import executable
from tasks.video.formats import Format, Size
from tasks.video.probe import probe
from tasks.video_transcode import VideoPart, VideoTranscode, check_video, video_part, video_transcode
from tests.documents.videos.clips import clip, made, picture
from tests.documents.videos.conftest import StoredVideos
from tests.waiting import wait_until_async


def add(run: LocalRun, data: bytes, media_type: str, size: tuple[int, int], seconds: float = 1.0) -> str:
    """The file as an upload would have described it."""
    return run.files.add(
        "file-1", data, name="clip.mp4", media_type=media_type, width=size[0], height=size[1], seconds=seconds
    )


def streams(path: Path) -> str:
    """What ffmpeg says of the streams of a file."""
    done = subprocess.run([executable(), "-hide_banner", "-i", str(path)], capture_output=True, text=True)
    return done.stderr


@pytest.mark.parametrize(
    ("name", "media_type", "source", "made_size", "audio"),
    [
        ("plain", "video/mp4", (320, 240), (320, 240), True),
        ("mute", "video/mp4", (320, 240), (320, 240), False),
        ("odd", "video/webm", (321, 241), (320, 240), False),
        ("deep", "video/x-matroska", (160, 120), (160, 120), False),
        ("stretched", "video/quicktime", (320, 120), (320, 120), False),
        ("uneven", "video/mp4", (160, 120), (160, 120), False),
        ("interlaced", "video/x-msvideo", (160, 120), (160, 120), False),
        ("surround", "video/x-matroska", (160, 120), (160, 120), True),
        ("one frame", "video/mp4", (160, 120), (160, 120), False),
    ],
)
async def test_every_kind_becomes_h264_with_aac(
    run: LocalRun,
    stored: StoredVideos,
    name: str,
    media_type: str,
    source: tuple[int, int],
    made_size: tuple[int, int],
    audio: bool,
) -> None:
    add(run, clip(name), media_type, source)
    result = await run.execute(video_part, VideoPart(file_id="file-1", format="480p"))
    path = stored.folder / "file-1" / "r1-480p.mp4"
    assert (result["width"], result["height"], result["bytes"]) == (*made_size, path.stat().st_size)
    facts = probe(path, "video/mp4")
    assert (facts.size, facts.audio) == (Size(*made_size), audio)
    reply = streams(path)
    assert "h264 (High)" in reply and "yuv420p" in reply and "rotation" not in reply
    assert ("aac (LC)" in reply and "48000 Hz, stereo" in reply) == audio
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat"), "an index at the end keeps players waiting for all of it"


async def test_a_turned_video_is_stored_upright(run: LocalRun, stored: StoredVideos) -> None:
    turned = made("mp4", "-display_rotation", "90", "-i", "{source}", "-c", "copy", source=clip("plain"))
    add(run, turned, "video/mp4", (240, 320))
    await run.execute(video_part, VideoPart(file_id="file-1", format="480p"))
    path = stored.folder / "file-1" / "r1-480p.mp4"
    assert probe(path, "video/mp4").size == Size(240, 320) and "rotation" not in streams(path)


async def test_formats_poster_and_strip_are_parts_and_their_progress_is_weighed_by_pixels(
    run: LocalRun, stored: StoredVideos
) -> None:
    add(run, clip("wide"), "video/mp4", (1000, 500), seconds=30.0)
    result = await run.execute(video_transcode, VideoTranscode(file_id="file-1"))
    assert [(one["format"], one["width"], one["height"]) for one in result["formats"]] == [
        ("480p", 854, 426),
        ("720p", 1000, 500),
    ]
    assert result["failed"] == [] and result["formats"][0]["url"] == "/api/documents/file-1/videos/480p"
    assert await stored.names("file-1") == {"r1-480p.mp4", "r1-720p.mp4", "r1-poster.webp", "r1-strip.webp"}
    # 11 + 15 megapixel-seconds, and one for the stills: the bar goes by what there is to encode, not by formats.
    assert [percent for percent, _, _ in run.stages] == [int(99 * done / 27) for done in (11, 26, 27)]
    poster = Image.open(stored.folder / "file-1" / "r1-poster.webp")
    strip = Image.open(stored.folder / "file-1" / "r1-strip.webp")
    assert poster.size == (1000, 500)
    facts = result["strip"]
    assert strip.size == (facts["tiles"] * facts["tile_width"], facts["tile_height"]) and facts["tile_width"] == 160


async def test_a_format_that_is_there_is_not_encoded_again(run: LocalRun, stored: StoredVideos) -> None:
    add(run, clip("mute"), "video/mp4", (320, 240))
    part = VideoPart(file_id="file-1", format="480p")
    assert (await run.execute(video_part, part))["found"] is False
    path = stored.folder / "file-1" / "r1-480p.mp4"
    before = path.stat().st_mtime_ns
    assert (await run.execute(video_part, part))["found"] is True
    assert path.stat().st_mtime_ns == before


async def test_the_poster_is_not_black_where_the_video_is_not(run: LocalRun, stored: StoredVideos) -> None:
    add(run, clip("black then picture"), "video/mp4", (160, 120), seconds=2.0)
    await run.execute(video_part, VideoPart(file_id="file-1", format=None))
    poster = Image.open(io.BytesIO((stored.folder / "file-1" / "r1-poster.webp").read_bytes())).convert("L")
    strip = Image.open(stored.folder / "file-1" / "r1-strip.webp").convert("L")
    assert poster.getextrema()[1] > 200
    assert strip.crop((0, 0, 160, 120)).getextrema()[1] < 40


async def test_a_video_of_which_no_format_can_be_made_is_a_failure_with_its_reason(run: LocalRun) -> None:
    add(run, clip("plain")[:5000], "video/mp4", (320, 240))
    with pytest.raises(Permanent, match=r"^It cannot be encoded as 480p: ") as failed:
        await run.execute(video_transcode, VideoTranscode(file_id="file-1", formats=["480p"]))
    assert str(run.folder) not in str(failed.value)


async def test_the_end_of_an_attempt_ends_its_encoder(run: LocalRun) -> None:
    endless = made("mkv", *picture(640, 360, 60, 30), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "51")
    add(run, endless, "video/x-matroska", (640, 360), seconds=60.0)
    before = set(psutil.Process(os.getpid()).children(recursive=True))
    encoding = asyncio.create_task(video_part.function(VideoPart(file_id="file-1", format="480p"), run))

    def encoders() -> list[psutil.Process]:
        return [one for one in psutil.Process(os.getpid()).children(recursive=True) if one not in before]

    await wait_until_async(lambda: encoders() and run.progress_percent > 0)
    assert run.message.startswith("Encoding 480p (")
    encoding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await encoding
    assert not encoders()


class Checks:
    def __init__(self, media_type: str, size: tuple[int, int] = (320, 240)) -> None:
        self.document = SimpleNamespace(
            name="clip.mp4", media_type=media_type, width=size[0], height=size[1], seconds=10.0
        )

    async def file(self, file_id: str) -> SimpleNamespace:
        return self.document


@pytest.mark.parametrize(
    ("media_type", "formats", "status_code", "field"),
    [
        ("application/pdf", ["480p"], 415, "file_id"),
        ("video/mp4", ["720p"], 400, "formats"),
        ("video/mp4", ["480p", "4k"], 400, "formats"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_it_is_queued(
    media_type: str, formats: list[Format], status_code: int, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        await check_video(VideoTranscode(file_id="file-1", formats=formats), Checks(media_type))
    assert (refused.value.status_code, refused.value.field) == (status_code, field)


async def test_the_work_is_counted_once_for_a_format_named_twice() -> None:
    once = await check_video(VideoTranscode(file_id="file-1", formats=["480p"]), Checks("video/mp4"))
    assert once == await check_video(VideoTranscode(file_id="file-1", formats=["480p", "480p"]), Checks("video/mp4"))
    assert once == await check_video(VideoTranscode(file_id="file-1"), Checks("video/mp4")) == 2
