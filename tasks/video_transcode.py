"""Videos in several formats, each a part of its own, spread over the workers; with a poster and a preview strip."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from settings.queues import Queue
from tasks.ports.files import Files, StoredFile
from tasks.ports.videos import Videos
from tasks.sdk import Meter, PartResult, Payload, Permanent, Refused, Run, job
from tasks.sdk.types import INCOMPLETE_TAGS, incomplete
from tasks.video.encode import encode
from tasks.video.formats import Format, Size, file_name, refusal, scaled, sensible
from tasks.video.stills import POSTER, STRIP, Stills, frames, make_stills

METER = Meter("Encoding the video ({percent}%)", "megapixel_seconds_done", "total_megapixel_seconds", high=99)

STILLS_UNITS = 1
"""Weight of poster and strip in the bar: a few seeks, next to minutes of encoding."""

CLOCK_S = 0.25
"""Interval in which the encoder's clock is read for the bar. ffmpeg prints it twice a second."""

Formats = Annotated[list[Format], msgspec.Meta(min_length=1, max_length=10)]


class VideoTranscode(Payload, frozen=True, kw_only=True):
    """The uploaded video, and its formats; without `formats`, all that the video is large enough for."""

    file_id: str
    formats: Formats | None = None


class VideoPart(Payload, frozen=True, kw_only=True):
    """A part: one format, or poster and strip where `format` is null."""

    file_id: str
    format: Format | None


class FormatMade(msgspec.Struct):
    """A finished format. `found` says that it was there already."""

    format: Format
    width: int
    height: int
    bytes: int
    url: str
    found: bool = False


class FormatFailed(msgspec.Struct):
    """A format that could not be made, and why."""

    format: Format
    reason: str


class VideoMade(msgspec.Struct):
    """Result of a job. `strip` is null where there are no stills."""

    formats: list[FormatMade]
    failed: list[FormatFailed]
    poster_url: str | None
    strip_url: str | None
    strip: Stills | None
    seconds: float = 0.0
    """Length of the video."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags by which the job is found."""
        return INCOMPLETE_TAGS if self.summary else ()

    @property
    def summary(self) -> str:
        """The message of a job that could not make all; empty otherwise."""
        lacking: list[str] = [one.format for one in self.failed]
        lacking += [name for name, url in (("poster", self.poster_url), ("strip", self.strip_url)) if url is None]
        return incomplete(f"without {', '.join(lacking)}") if lacking else ""

    @property
    def usage(self) -> dict[str, int]:
        """Video that its owner is charged for: its length once, in milliseconds."""
        return {"video_ms": round(self.seconds * 1000)}


def units_of(size: Size, seconds: float) -> int:
    """Work of a format in megapixel-seconds: what an encoder's time goes by. At least 1."""
    return max(1, round(size.width * size.height * seconds / 1e6))


async def check_video(payload: VideoTranscode, checks: Any) -> int:
    """The file must be the owner's video, and every format make sense for it. Returns the megapixel-seconds to encode."""
    document = await checks.file(payload.file_id)
    if not document.media_type.startswith("video/"):
        raise Refused(f"{document.name} is not a video.", field="file_id", status_code=415)
    size = Size(document.width, document.height)
    if payload.formats and (reason := refusal(document.name, size, _once(payload.formats))):
        raise Refused(reason, field="formats")
    wanted = _once(payload.formats or sensible(size))
    return sum(units_of(scaled(size, format), document.seconds) for format in wanted) + STILLS_UNITS


@job(
    queue=Queue.MEDIA,
    search_keys=("file_id",),
    expected_s=2.0,
    expected_unit_s=0.3,
    unit="megapixel-second",
    accepts=check_video,
)
async def video_transcode(payload: VideoTranscode, run: Run) -> VideoMade:
    """Make H.264 MP4 videos in several formats, a poster and a preview strip."""
    document = await run.use(Files).describe(payload.file_id)
    size = Size(document.width or 0, document.height or 0)
    wanted: list[Format | None] = [*_once(payload.formats or sensible(size)), None]
    units = [units_of(scaled(size, format), document.seconds or 0) if format else STILLS_UNITS for format in wanted]
    parts = [VideoPart(file_id=payload.file_id, format=format) for format in wanted]
    results = await run.parts(video_part, parts, METER, units)
    *formats, stills = results
    made = [msgspec.convert(one.result, FormatMade) for one in formats if one.status == "completed"]
    failed = [FormatFailed(one.payload.format, _reason(one)) for one in formats if one.status != "completed"]
    if not made:
        raise Permanent(failed[0].reason)
    there = stills.status == "completed"
    return VideoMade(
        made,
        failed,
        video_url(payload.file_id, "poster") if there else None,
        video_url(payload.file_id, "strip") if there else None,
        msgspec.convert(stills.result, Stills) if there else None,
        document.seconds or 0.0,
    )


@job(queue=Queue.MEDIA, public=False, expected_s=1.0, expected_unit_s=0.3, unit="megapixel-second")
async def video_part(payload: VideoPart, run: Run) -> FormatMade | Stills:
    """Make one format of a video, or its poster and strip."""
    document = await run.use(Files).describe(payload.file_id)
    if payload.format is None:
        return await _stills(document, run)
    return await _format(document, payload.format, run)


async def _format(document: StoredFile, format: Format, run: Run) -> FormatMade:
    videos, name = run.use(Videos), file_name(format)
    size = scaled(Size(document.width or 0, document.height or 0), format)
    found = name in await videos.names(document.file_id)
    if not found:
        source = await run.use(Files).local(document.file_id, run.scratch)
        target = run.scratch / name
        clock = _Clock(run, format, units_of(size, document.seconds or 0), document.seconds or 0)
        async with run.beside(clock.show()):
            await encode(run, source, document.media_type, target, format, size, clock.at)
        await videos.keep(document.file_id, name, target)
    bytes = await videos.size(document.file_id, name)
    return FormatMade(format, size.width, size.height, bytes, video_url(document.file_id, format), found)


async def _stills(document: StoredFile, run: Run) -> Stills:
    source = await run.use(Files).local(document.file_id, run.scratch)
    size, seconds = Size(document.width or 0, document.height or 0), document.seconds or 0
    pictures = await frames(run, source, document.media_type, size, seconds)
    stills: Stills = await run.cpu(make_stills, pictures, run.scratch, seconds)
    for name in (POSTER, STRIP):
        await run.use(Videos).keep(document.file_id, name, run.scratch / name)
    return stills


class _Clock:
    """The encoder's clock, shown as progress of a part."""

    def __init__(self, run: Run, format: Format, units: int, seconds: float) -> None:
        self.run = run
        self.units = units
        self.seconds = seconds
        self.meter = Meter(f"Encoding {format} ({{percent}}%)", METER.done_key, METER.total_key, high=99)
        self.encoded_s = 0.0

    def at(self, encoded_s: float) -> None:
        self.encoded_s = max(self.encoded_s, encoded_s)

    async def show(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_S)
            share = min(1.0, self.encoded_s / self.seconds) if self.seconds else 0.0
            await self.run.progress(int(self.units * share), self.units, self.meter)


def video_url(file_id: str, name: str) -> str:
    """Path of a format, `poster` or `strip` in the API."""
    return f"/api/documents/{file_id}/videos/{name}"


def _once(formats: Sequence[Format]) -> list[Format]:
    return list(dict.fromkeys(formats))


def _reason(part: PartResult) -> str:
    return part.error or "It was not reached."
