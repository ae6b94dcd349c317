"""Facts of a video, and the sentence of one that cannot be used."""

from pathlib import Path

import pytest

from service.documents.inspection import inspect_file
from service.documents.media_types import media_type_of
from tests.documents.videos.clips import clip, made


def inspected(folder: Path, data: bytes):
    path = folder / "video"
    path.write_bytes(data)
    media_type = media_type_of(data[:1024])
    assert media_type is not None
    return media_type, inspect_file(path, media_type)


@pytest.mark.parametrize(
    ("name", "media_type", "width", "height", "seconds"),
    [
        ("wide", "video/mp4", 1000, 500, 1.0),
        ("mute", "video/mp4", 320, 240, 1.0),
        ("odd", "video/webm", 321, 241, 1.0),
        ("deep", "video/x-matroska", 160, 120, 1.0),
        ("stretched", "video/quicktime", 320, 120, 1.0),
        ("interlaced", "video/x-msvideo", 160, 120, 1.0),
        ("one frame", "video/mp4", 160, 120, 0.1),
    ],
)
def test_a_video_is_told_by_its_content_and_measured_as_it_is_seen(
    tmp_path: Path, name: str, media_type: str, width: int, height: int, seconds: float
) -> None:
    reported, seen = inspected(tmp_path, clip(name))
    assert (reported, seen.fault, seen.pages) == (media_type, None, 0)
    assert (seen.width, seen.height, seen.seconds) == (width, height, pytest.approx(seconds, abs=0.11))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_is_measured_upright(tmp_path: Path, degrees: int) -> None:
    turned = made("mp4", "-display_rotation", str(degrees), "-i", "{source}", "-c", "copy", source=clip("plain"))
    _, seen = inspected(tmp_path, turned)
    assert (seen.width, seen.height) == ((320, 240) if degrees == 180 else (240, 320))


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (clip("plain")[:6000], "is cut short: the end of the video is missing"),
        (
            made("mp4", "-i", "{source}", "-c", "copy", "-movflags", "faststart", source=clip("plain"))[:-6000],
            "is cut short: the end of the video is missing",
        ),
        (clip("deep")[:-3000], "is cut short: the end of the video is missing"),
        (clip("sound"), "has no picture, only sound"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "is cut short: the end of the video is missing"),
        (b"RIFF\x10\0\0\0AVI LIST" + b"\0" * 64, "is damaged: it begins like a video but cannot be read as one"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\x82\x84webm" + b"\0" * 64, "cannot be read as one"),
    ],
    ids=["index at its end", "index at its beginning", "matroska", "sound only", "head only", "avi head", "webm head"],
)
def test_a_video_that_cannot_be_used_has_its_sentence(tmp_path: Path, data: bytes, fault: str) -> None:
    _, seen = inspected(tmp_path, data)
    assert seen.fault is not None and fault in seen.fault
    assert seen.other_kind == (fault == "has no picture, only sound")
    assert str(tmp_path) not in seen.fault and "0x" not in seen.fault


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"The free world is a text file.", None),
        (b"\0\0\0\x20ftypM4A \0\0\0\0M4A isom", None),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", None),
        (b"\0\0\0\x14ftyp3gp4\0\0\0\0isom", "video/3gpp"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\0\0\0\x08wide\0\1\0\0mdat", "video/quicktime"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avif", "image/avif"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\x82\x84webm", "video/webm"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\x82\x85other", None),
        (b"RIFF\0\0\0\0WAVE", None),
    ],
)
def test_neither_sound_nor_text_nor_pictures_are_videos(data: bytes, media_type: str | None) -> None:
    assert media_type_of(data) == media_type
