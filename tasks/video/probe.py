"""Facts of a video file, by reading all of it once: a frame is decoded, the rest is only gone through."""

import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.sdk.memory_group import killed, own_group
from tasks.video.ffmpeg import last_reason, reading
from tasks.video.formats import Size

PROBE_TIMEOUT_S = 25.0
"""Going through 200 MB takes a second; below the limit of an inspection, so that the sentence is ours."""

TORN = ("partial file", "moov atom not found", "File ended prematurely", "Truncating packet")
"""Message of ffmpeg for a file whose end is missing."""


@dataclass(frozen=True)
class VideoFacts:
    """`size` as it is to be seen; `seconds` is the time of the last packet."""

    size: Size
    seconds: float
    audio: bool


class BadVideo(Exception):
    """The file cannot be used. The message follows its name; `audio_only` says that it has sound and no picture."""

    def __init__(self, fault: str, *, audio_only: bool = False) -> None:
        super().__init__(fault)
        self.audio_only = audio_only


def command(path: Path, media_type: str) -> list[str]:
    """The command line of ffmpeg, whose outputs `facts_of` reads."""
    return [
        *reading(path, media_type, level="info"),
        # The first frame as it is to be seen: turned upright, with the shape of its pixels.
        *("-map", "0:V:0", "-frames:v", "1", "-f", "framecrc", "pipe:1"),
        *("-map", "0:V:0", "-map", "0:a:0?", "-c", "copy", "-progress", "pipe:1", "-f", "null", "-"),
    ]


def probe(path: Path, media_type: str, launch: Callable[[Sequence[str]], Sequence[str]] = list) -> VideoFacts:
    """Facts of the file. `launch` makes the command line that is started in place of ffmpeg's.

    Raises BadVideo, and OutOfMemory or ChildDied where ffmpeg was killed: that says nothing about the video.
    """
    started, kills_before = launch(command(path, media_type)), own_group().kills()
    try:
        done = subprocess.run(
            started, capture_output=True, stdin=subprocess.DEVNULL, timeout=PROBE_TIMEOUT_S, check=False, env={}
        )
    except subprocess.TimeoutExpired:
        raise BadVideo(f"cannot be read through within {PROBE_TIMEOUT_S:g} seconds") from None
    if done.returncode == -signal.SIGKILL:
        raise killed("ffmpeg", signal.SIGKILL, kills_before)
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return facts_of(path, done.returncode, lines, done.stderr.decode("utf-8", "replace"))


def facts_of(path: Path, code: int, lines: Sequence[str], errors: str) -> VideoFacts:
    """Facts from the exit code and the outputs of ffmpeg. Raises BadVideo."""
    facts = dict(line.split(separator, 1) for line in lines if (separator := _separator(line)))
    if any(sign in errors for sign in TORN):
        raise BadVideo("is cut short: the end of the video is missing")
    if code:
        if "matches no streams" in errors:
            raise BadVideo("has no picture, only sound" if ": Audio: " in errors else "has no video", audio_only=True)
        raise BadVideo(f"is damaged: it begins like a video but cannot be read as one ({last_reason(errors, path)})")
    size = _size(facts)
    if size is None:
        raise BadVideo("has no frame that can be shown")
    return VideoFacts(size, _seconds(facts), " Audio: " in errors.partition("Output #")[0])


def _separator(line: str) -> str:
    """`#dimensions 0: 320x240` of framecrc, or `out_time_us=2000000` of the progress."""
    return " 0: " if line.startswith("#") and " 0: " in line else "=" if "=" in line else ""


def _size(facts: dict[str, str]) -> Size | None:
    """Size in square pixels; None where no frame was decoded."""
    width, _, height = facts.get("#dimensions", "").partition("x")
    if not (width.isdigit() and height.isdigit()) or facts.get("frame") == "0":
        return None
    across, _, down = facts.get("#sar", "1/1").partition("/")
    shape = int(across) / int(down) if across.isdigit() and down.isdigit() and int(across) and int(down) else 1.0
    if not 0.1 <= shape <= 10:
        # No camera films so: a header that is wrong.
        shape = 1.0
    # The longer side of a pixel is kept, so that no detail is lost, and none is made up where it is not needed.
    return Size(max(1, round(int(width) * shape)), int(height))


def _seconds(facts: dict[str, str]) -> float:
    microseconds = facts.get("out_time_us", "")
    return max(0.0, int(microseconds) / 1e6) if microseconds.lstrip("-").isdigit() else 0.0
