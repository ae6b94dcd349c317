"""Videos made to harm: playlists by other names, references to other files, and headers that lie."""

import struct
from collections.abc import Callable

from tests.documents.videos.clips import clip, made, picture

PLAIN = "mute"


def patched(data: bytes, box: bytes, at: int, value: bytes) -> bytes:
    """`value` in place of what stands `at` bytes behind the name of the first box so named."""
    start = data.index(box) + 4 + at
    return data[:start] + value + data[start + len(value) :]


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def sides(width: int, height: int) -> bytes:
    """A clip whose container and whose codec claim other sides."""
    return patched(clip(PLAIN), b"avc1", 24, struct.pack(">HH", width, height))


def raw_frames(width: int, height: int) -> bytes:
    """An AVI of uncompressed frames that claims other sides."""
    data = made("avi", *picture(16, 16), "-c:v", "rawvideo", "-pix_fmt", "bgr24")
    return patched(data, b"strf", 8, struct.pack("<ii", width, height))


def referring(url: bytes) -> bytes:
    """A QuickTime file whose frames lie in another file, by its own table of references."""
    data = clip(PLAIN)
    at = data.index(b"dref")
    entry = box(b"url ", b"\0\0\0\0" + url + b"\0")
    table = box(b"dref", struct.pack(">II", 0, 1) + entry)
    old = struct.unpack(">I", data[at - 4 : at])[0]
    grown = data[: at - 4] + table + data[at - 4 + old :]
    for name in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        start = grown.index(name) - 4
        size = struct.unpack(">I", grown[start : start + 4])[0] + len(table) - old
        grown = grown[:start] + struct.pack(">I", size) + grown[start + 4 :]
    return grown


def reference_movie(url: bytes) -> bytes:
    """A QuickTime file that is nothing but the address of another."""
    address = box(b"rdrf", b"\0\0\0\0url " + struct.pack(">I", len(url)) + url)
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", box(b"rmra", box(b"rmda", address)))


def tracks(count: int) -> bytes:
    """An MP4 of one good track and so many of no content."""
    data = clip(PLAIN)
    at = data.index(b"moov") - 4
    size = struct.unpack(">I", data[at : at + 4])[0]
    empty = box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + b"soun" + bytes(13)))) * count
    return data[:at] + struct.pack(">I", size + len(empty)) + data[at + 4 : at + size] + empty + data[at + size :]


def boxes_within_boxes(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = box(b"moov", content)
    return box(b"ftyp", b"isom\0\0\2\0isom") + content


def named(playlist: bytes, head: bytes) -> bytes:
    """A playlist behind the first bytes of a video."""
    return head + b"\n" + playlist


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile %s\n"
SUBTITLES = b"1\n00:00:00,000 --> 00:00:09,000\n<img src='%s'>\n"


def hostile_videos(canary: str, secret: str) -> dict[str, Callable[[], bytes]]:
    """Builders by name. They name the address `canary` and the file `secret`."""
    url, path = canary.encode(), secret.encode()
    matroska = clip("deep")
    return {
        "playlist of an address": lambda: PLAYLIST % url,
        "playlist of a file": lambda: PLAYLIST % (b"file://" + path),
        "playlist within concat": lambda: PLAYLIST % (b"concat:" + url + b"|file://" + path),
        "list of files": lambda: CONCAT % path,
        "list of addresses": lambda: CONCAT % url,
        "subtitles": lambda: SUBTITLES % url,
        "MP4 that begins a playlist": lambda: named(PLAYLIST % url, box(b"ftyp", b"isom\0\0\2\0isom")),
        "Matroska that begins a list": lambda: named(CONCAT % path, matroska[:64]),
        "AVI that begins a playlist": lambda: named(PLAYLIST % url, b"RIFF\xff\xff\0\0AVI "),
        "MP4 whose frames are at an address": lambda: referring(url),
        "MP4 whose frames are in a file": lambda: referring(b"file://" + path),
        "MP4 that is an address": lambda: reference_movie(url),
        "MP4 of 65,535 × 65,535": lambda: sides(65_535, 65_535),
        "AVI of 100,000 × 100,000": lambda: raw_frames(100_000, 100_000),
        "AVI of no width": lambda: raw_frames(0, 0),
        "AVI of less than nothing": lambda: raw_frames(-16, -16),
        "MP4 of no time": lambda: patched(clip(PLAIN), b"mvhd", 16, bytes(4)),
        "MP4 of a clock that stands": lambda: patched(clip(PLAIN), b"mdhd", 12, bytes(4)),
        "MP4 of less than no time": lambda: patched(clip(PLAIN), b"mdhd", 16, b"\xff" * 4),
        "MP4 of 2^32 entries": lambda: patched(clip(PLAIN), b"stts", 4, b"\xff" * 4),
        "MP4 of 2^32 samples": lambda: patched(clip(PLAIN), b"stsz", 8, b"\xff" * 4),
        "MP4 of samples of 2 GB": lambda: patched(clip(PLAIN), b"stsz", 12, b"\x7f\xff\xff\xff"),
        "MP4 of 20,000 tracks": lambda: tracks(20_000),
        "MP4 of boxes 20,000 deep": lambda: boxes_within_boxes(20_000),
        "Matroska of noise": lambda: matroska[:400] + bytes(range(256)) * 40,
        "MP4 of a million frames a second": lambda: patched(clip(PLAIN), b"mdhd", 12, struct.pack(">I", 10_000_000)),
        "MP4 that is a PDF": lambda: clip(PLAIN) + b"%PDF-1.7\n",
        "MP4 with a box of 2^64": lambda: box(b"ftyp", b"isom\0\0\2\0isom") + b"\0\0\0\1moov" + b"\xff" * 8,
        "sound alone": lambda: clip("sound"),
        "cut short": lambda: clip(PLAIN)[:-3_000],
    }
