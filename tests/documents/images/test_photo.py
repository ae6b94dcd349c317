"""What an app gets of a photo: cover, preview and facts."""

import io
from pathlib import Path

import pytest
from PIL import Image

from tasks.images.errors import BadPicture
from tasks.images.photo import PhotoFacts, process_photo
from tests.documents.images.pictures import exif, likeness_db, saved, scene, turned, written

SCENE = scene(2400, 1600)


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "WEBP" and not picture.getexif()
    return picture.convert("RGB")


@pytest.mark.parametrize("orientation", [1, 6])
def test_cover_preview_and_facts(orientation: int, tmp_path: Path) -> None:
    tags = exif(orientation=orientation, taken="2026:05:01 18:30:05", offset="+02:00", place=True)
    photo = process_photo(written(tmp_path, saved(turned(orientation)(SCENE), "JPEG", quality=92, exif=tags)))
    assert photo.facts == PhotoFacts(2400, 1600, "jpeg", "2026-05-01T18:30:05+02:00", orientation)
    preview, cover = opened(photo.preview), opened(photo.cover)
    assert preview.size == (800, 533) and cover.size == (200, 200)
    assert likeness_db(preview, SCENE.resize((800, 533))) > 30
    middle = SCENE.crop((400, 0, 2000, 1600)).resize((200, 200))
    assert likeness_db(cover, middle) > 26


@pytest.mark.parametrize("size", [(50, 40), (8000, 300), (300, 8000), (20, 20_000), (20_000, 1)])
def test_sides_far_from_a_photos(size: tuple[int, int], tmp_path: Path) -> None:
    photo = process_photo(written(tmp_path, saved(Image.new("RGB", size, "teal"), "PNG")))
    assert opened(photo.cover).size == (200, 200)
    width, height = opened(photo.preview).size
    assert width <= min(800, size[0]) and height <= 3200
    assert (photo.facts.width, photo.facts.height) == size


@pytest.mark.parametrize("taken", ["0000:00:00 00:00:00", "yesterday", "2026:05:01 12:00:00"])
def test_a_moment_without_a_zone_or_sense(taken: str, tmp_path: Path) -> None:
    photo = process_photo(written(tmp_path, saved(SCENE, "JPEG", exif=exif(taken=taken))))
    assert photo.facts.taken_at == ("2026-05-01T12:00:00" if taken.startswith("2026") else None)


def test_torn_exif_is_a_picture_like_any_other(tmp_path: Path) -> None:
    whole = exif(orientation=6, taken="2026:05:01 12:00:00")
    for length in range(6, len(whole), 5):
        photo = process_photo(written(tmp_path, saved(SCENE.resize((90, 60)), "JPEG", exif=whole[:length])))
        assert (photo.facts.width, photo.facts.height) in {(90, 60), (60, 90)}


def test_no_photo_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match=r"^The file is not a picture that can be read: .*\.$"):
        process_photo(written(tmp_path, b"%PDF-1.7"))
