"""Encoding of one format: H.264 and AAC in an MP4 that plays while it arrives."""

from collections.abc import Callable
from pathlib import Path

from tasks.sdk import Permanent, ProgramFailed, Run
from tasks.sdk.errors import Unreachable
from tasks.video import probe
from tasks.video.ffmpeg import THREADS, last_reason, reading
from tasks.video.formats import RATES_KBIT, Format, Size
from tasks.video.probe import VideoFacts

QUALITY = 23
"""libx264's constant rate factor: its default, at which most people see no difference."""

PRESET = "veryfast"
"""Half the CPU time of `medium`; docs/decisions/video-encoder.md has the measurement."""

AUDIO_KBIT = 128

CLOCK = "out_time_us="
"""The encoder's output on its progress."""


async def encode(
    run: Run, source: Path, media_type: str, target: Path, format: Format, size: Size, clock: Callable[[float], None]
) -> VideoFacts:
    """Encode `source` to `target` in pixels of `size`; `clock` is called with the seconds that are encoded.

    Raises Permanent where the video cannot be encoded, or the result is not what was asked for.
    """

    def line(text: str) -> None:
        microseconds = text.removeprefix(CLOCK)
        if text.startswith(CLOCK) and microseconds.isdigit():
            clock(int(microseconds) / 1e6)

    try:
        await run.program(command(source, media_type, target, format, size), on_line=line)
    except ProgramFailed as error:
        if "No space left on device" in error.errors:
            raise Unreachable("disk", "no space left for a video") from None
        raise Permanent(f"It cannot be encoded as {format}: {last_reason(error.errors, source)}.") from None
    lines: list[str] = []
    try:
        errors = await run.program(probe.command(target, "video/mp4"), on_line=lines.append)
        facts = probe.facts_of(target, 0, lines, errors)
    except (ProgramFailed, probe.BadVideo) as error:
        raise Permanent(f"It cannot be encoded as {format}: the result {error}.") from None
    if facts.size != size:
        raise Permanent(f"It cannot be encoded as {format}: the result is {facts.size} pixels instead of {size}.")
    return facts


def command(source: Path, media_type: str, target: Path, format: Format, size: Size) -> list[str]:
    """The command line of ffmpeg. Rotation is applied, pixels become square, depth becomes 8 bits."""
    rate = RATES_KBIT[format]
    return [
        *reading(source, media_type),
        # The first picture and, where there is one, the first sound; nothing of the source's metadata.
        *("-map", "0:V:0", "-map", "0:a:0?", "-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"),
        *("-vf", f"yadif=deint=interlaced,scale={size.width}:{size.height},setsar=1,format=yuv420p"),
        *("-c:v", "libx264", "-preset", PRESET, "-profile:v", "high", "-crf", str(QUALITY)),
        *("-maxrate", f"{rate}k", "-bufsize", f"{2 * rate}k", "-threads", str(THREADS)),
        *("-c:a", "aac", "-b:a", f"{AUDIO_KBIT}k", "-ac", "2", "-ar", "48000"),
        *("-movflags", "+faststart", "-progress", "pipe:1", "-f", "mp4", f"file:{target}"),
    ]
