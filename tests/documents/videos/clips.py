"""Small videos of every kind, made by the same ffmpeg: patterns and a tone, a second or two, a few kilobytes."""

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.video.ffmpeg import executable

SECONDS = 1


@cache
def clip(name: str) -> bytes:
    """A clip by its name in CLIPS."""
    suffix, arguments = CLIPS[name]
    return made(suffix, *arguments)


def made(suffix: str, *arguments: str, source: bytes | None = None) -> bytes:
    """The file that ffmpeg makes by these arguments, `{source}` among them standing for the path of `source`."""
    with TemporaryDirectory() as folder:
        if source is not None:
            Path(folder, "source").write_bytes(source)
        target = Path(folder, f"made.{suffix}")
        given = [one.format(source=Path(folder, "source")) for one in arguments]
        command = [executable(), "-nostdin", "-loglevel", "error", *given, str(target)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return target.read_bytes()


def picture(width: int, height: int, seconds: float = SECONDS, rate: int = 10) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc=size={width}x{height}:rate={rate}:duration={seconds}"]


TONE = ["-f", "lavfi", "-i", f"sine=duration={SECONDS}"]
SURROUND = ["-f", "lavfi", "-i", "anullsrc=channel_layout=5.1:sample_rate=96000:duration=1"]
BLACK = ["-f", "lavfi", "-i", "color=black:size=160x120:rate=10:duration=1"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]

CLIPS: dict[str, tuple[str, list[str]]] = {
    "wide": ("mp4", [*picture(1000, 500), *TONE, *H264, "-c:a", "aac"]),
    "plain": ("mp4", [*picture(320, 240), *TONE, *H264, "-c:a", "aac"]),
    "mute": ("mp4", [*picture(320, 240), *H264]),
    "odd": ("webm", [*picture(321, 241), "-c:v", "libvpx", "-b:v", "200k"]),
    "deep": ("mkv", [*picture(160, 120), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"]),
    "stretched": ("mov", [*picture(160, 120), "-vf", "setsar=2/1", *H264]),
    "uneven": (
        "mp4",
        [*picture(160, 120, 2), "-vf", "select='not(mod(n,7))+eq(n,3)'", "-fps_mode", "vfr", *H264],
    ),
    "interlaced": ("avi", [*picture(160, 120), "-c:v", "mpeg4", "-flags", "+ilme+ildct"]),
    "surround": ("mkv", [*picture(160, 120), *SURROUND, "-shortest", *H264, "-c:a", "flac"]),
    "sound": ("mp4", [*TONE, "-c:a", "aac"]),
    "black then picture": ("mp4", [*BLACK, *picture(160, 120), "-filter_complex", "[0][1]concat=n=2", *H264]),
    "one frame": ("mp4", [*picture(160, 120), "-frames:v", "1", *H264]),
}
