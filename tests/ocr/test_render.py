"""Pictures of every kind come out grey, upright and bounded."""

from pathlib import Path
from typing import get_args

import numpy as np
import pikepdf
import pytest
from PIL import Image

from tasks.ocr import render
from tasks.ocr.document import open_pdf
from tasks.ocr.image_to_pdf import ORIENTATION
from tasks.ocr.page import Reading, read_page
from tasks.ocr.pdf_page import TextLayerUse
from tasks.ocr.render import MAX_PIXELS, render_image_frame, render_part
from tasks.sdk.errors import Permanent
from tests.documents.images.depths import DEPTHS, OBLONG, TURNS, turned_file
from tests.ocr import documents


def marked(mode: str, paper: object, ink: object, size: tuple[int, int] = (300, 200)) -> Image.Image:
    """A picture with a dark square in its top left corner."""
    image = Image.new(mode, size, paper)
    image.paste(ink, (0, 0, 50, 50))
    return image


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("bitonal.tiff", marked("1", 1, 0)),
        ("grey.png", marked("L", 250, 10)),
        ("sixteen.png", Image.fromarray(np.asarray(marked("L", 250, 10), np.uint16) * 257)),
        ("colour.jpg", marked("RGB", (250, 250, 250), (20, 10, 10))),
        ("cmyk.jpg", marked("CMYK", (0, 0, 0, 0), (0, 0, 0, 250))),
        ("clear.png", marked("RGBA", (0, 0, 0, 0), (0, 0, 0, 255))),
        ("palette.png", marked("L", 250, 10).convert("P")),
    ],
)
def test_any_mode_becomes_dark_ink_on_light_paper(tmp_path: Path, name: str, image: Image.Image) -> None:
    image.save(tmp_path / name, dpi=(100, 100))
    picture, scale, _ = render_image_frame(tmp_path / name, 0)
    assert picture.shape == (200, 300)
    assert picture.dtype == np.uint8
    assert picture[10:40, 10:40].max() < 60
    assert picture[100:, 100:].min() > 200
    assert scale == pytest.approx(100 / 72, rel=0.01)


def test_a_photo_taken_sideways_is_set_upright(tmp_path: Path) -> None:
    image = marked("L", 250, 10)
    exif = image.getexif()
    exif[ORIENTATION] = 6
    image.save(tmp_path / "photo.jpg", exif=exif)
    picture, _, _ = render_image_frame(tmp_path / "photo.jpg", 0)
    assert picture.shape == (300, 200)
    assert picture[10:40, 160:190].max() < 60


@pytest.mark.parametrize("kind", DEPTHS)
def test_any_depth_and_kind_becomes_dark_ink_on_light_paper(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_bytes(DEPTHS[kind](marked("L", 255, 0)))
    picture, _, _ = render_image_frame(tmp_path / "file", 0)
    assert picture.shape == (200, 300)
    assert picture[10:40, 10:40].max() < 60
    assert picture[100:, 100:].min() > 200


@pytest.mark.parametrize("kind", TURNS)
def test_any_turn_of_any_kind_is_undone_once(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_bytes(turned_file(marked("L", 250, 10), *TURNS[kind]))
    picture, _, _ = render_image_frame(tmp_path / "file", 0)
    assert picture.shape == (200, 300)
    assert picture[10:40, 10:40].max() < 60 and picture[:, 60:].min() > 200


@pytest.mark.parametrize("kind", OBLONG)
def test_oblong_pixels_are_made_square(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_bytes(OBLONG[kind](marked("L", 255, 0)))
    picture, scale, size = render_image_frame(tmp_path / "file", 0)
    with Image.open(tmp_path / "file") as image:
        across, down = image.info["dpi"]
    if "side" in kind:
        across, down = down, across
    assert size == pytest.approx((300 * 72 / across, 200 * 72 / down), abs=0.01)
    assert picture.shape[1] / scale == pytest.approx(300 * 72 / across, abs=0.5)
    assert picture.shape[0] / scale == pytest.approx(200 * 72 / down, abs=0.5)
    ink = picture < 128
    assert ink.any(axis=0).sum() / scale == pytest.approx(50 * 72 / across, abs=1)
    assert ink.any(axis=1).sum() / scale == pytest.approx(50 * 72 / down, abs=1)


@pytest.mark.parametrize("name", ["large.png", "large.jpg"])
def test_a_large_picture_is_shrunk_to_the_bound(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "MAX_PIXELS", 40_000)
    marked("L", 250, 10, size=(1500, 1000)).save(tmp_path / name, dpi=(300, 300))
    picture, scale, _ = render_image_frame(tmp_path / name, 0)
    assert picture.size <= 40_000
    assert picture.shape[1] / scale == pytest.approx(1500 / 300 * 72, rel=0.02)
    assert picture[1:3, 1:3].max() < 60


def test_a_picture_too_large_to_unpack_is_refused_with_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "MAX_UNPACKED", 100_000)
    marked("RGB", "white", "black").save(tmp_path / "huge.png")
    with pytest.raises(Permanent, match="300 × 200 pixels"):
        render_image_frame(tmp_path / "huge.png", 0)


@pytest.mark.parametrize("use", get_args(TextLayerUse))
def test_a_page_without_area_is_named(use: TextLayerUse, tmp_path: Path) -> None:
    path = tmp_path / "nowhere.pdf"
    path.write_bytes(documents.text_pdf(words=5)[0])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].cropbox = pikepdf.Array([700, 30, 900, 740])
        pdf.save(path)
    with pytest.raises(Permanent, match="The page has no area"):
        read_page(path, 0, Reading(tmp_path, text_layer=use))


def test_a_page_of_any_size_is_rendered_within_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "poster.pdf"
    path.write_bytes(documents.blank_pdf(size=(14_000, 14_000)))
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].mediabox = pikepdf.Array([0, 0, 35_000, 35_000])
        pdf.save(path)
    with open_pdf(path) as pdf:
        rendered = render_part(pdf[0], 300 / 72)
    assert rendered.picture.size <= MAX_PIXELS * 1.01
    assert rendered.picture.shape[0] == pytest.approx(35_000 * rendered.scale, abs=2)
