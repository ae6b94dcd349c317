"""The ffmpeg that the wheel brings, and the arguments of every call that reads a stranger's file."""

import re
from functools import cache
from pathlib import Path

import imageio_ffmpeg

DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/3gpp": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
}
"""Reader of each media type. It is named, so that no file makes ffmpeg choose another, such as one that reads playlists."""

PIXELS_MAX = 8192 * 4352
"""Pixels of a frame that are decoded: 8K, as cameras write it. A header that claims more is refused before memory is taken."""

THREADS = 2
"""Threads of a decoder, of the filters and of an encoder: the reference machine has two cores, and a worker shares it."""


@cache
def executable() -> str:
    """Path of the program."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def reading(path: Path, media_type: str, *options: str, level: str = "warning") -> list[str]:
    """The beginning of a command line that reads `path`: no network, no other reader, no keyboard, bounded threads."""
    return [
        *(executable(), "-nostdin", "-hide_banner", "-nostats", "-loglevel", level),
        *("-filter_threads", str(THREADS), "-filter_complex_threads", str(THREADS)),
        *("-protocol_whitelist", "file,pipe", "-max_pixels", str(PIXELS_MAX), "-threads", str(THREADS)),
        *(*options, "-f", DEMUXERS[media_type], "-i", f"file:{path}"),
    ]


CAUSES = re.compile(
    r"Picture size -?\d+x-?\d+ is invalid|Number of streams exceeds max_streams parameter \(\d+\)|dimensions not set"
)
"""Messages that say what is wrong with a file, wherever they stand: ffmpeg goes on for many lines after them."""

OUTCOMES = ("Conversion failed!", "Error opening input file", "Error opening output file", "frame=", "size=")
"""Beginnings of lines that only say that there was a reason."""


def last_reason(errors: str, path: Path) -> str:
    """The cause that ffmpeg named or the last reason that it wrote, without its addresses and the file's path."""
    found = CAUSES.search(errors)
    lines = [line.rpartition("] ")[2].strip() for line in errors.splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith(OUTCOMES)] or lines
    line = found[0] if found else reasons[-1] if reasons else "it gave no reason"
    return line.replace(f"file:{path}", "the file").replace(str(path), "the file")[:200].strip().rstrip(".")
