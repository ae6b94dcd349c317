"""The ffmpeg that the wheel brings, and the arguments of every call that reads a stranger's file."""

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


def last_reason(errors: str, path: Path) -> str:
    """The last line that ffmpeg wrote, without its addresses and the file's path."""
    lines = [line for line in errors.splitlines() if line.strip()]
    line = lines[-1].rpartition("] ")[2] if lines else "it gave no reason"
    return line.replace(f"file:{path}", "the file").replace(str(path), "the file")[:200].strip().rstrip(".")
