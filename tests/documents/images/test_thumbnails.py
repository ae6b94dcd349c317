"""Thumbnails of every kind of document, compared with the scene that was put into it."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tasks.images.shrink import fitted
from tasks.images.thumbnails import render_thumbnails
from tasks.images.variants import Variant, variants
from tests.documents.images.depths import DEPTHS, OBLONG, TURNS, turned_file
from tests.documents.images.pictures import (
    CORNERS,
    exif,
    likeness_db,
    pdf_with,
    profile_with_swapped_colours,
    saved,
    scene,
    sharpness,
    sixteen_bit_grey,
    sixteen_bit_rgb_png,
    turned,
    written,
)

SCENE = scene()

LIKE_DB = 30.0
"""Two lossy encodings and two ways of shrinking lie between a thumbnail and its reference."""


def made_of(folder: Path, data: bytes, *sizes: int) -> dict[int, Image.Image]:
    found = render_thumbnails(written(folder, data), variants(sizes, ["webp"]))
    return {one.variant.size: Image.open(io.BytesIO(one.data)) for one in found}


def reference(size: int, picture: Image.Image = SCENE) -> Image.Image:
    return picture.convert("RGB").resize(fitted(picture.size, (size, size)), Image.Resampling.LANCZOS)


def swapped(picture: Image.Image) -> Image.Image:
    red, green, blue = picture.split()
    return Image.merge("RGB", (green, red, blue))


KINDS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: saved(SCENE, "JPEG", quality=92),
    "progressive JPEG": lambda: saved(SCENE, "JPEG", quality=92, progressive=True),
    "JPEG without subsampling": lambda: saved(SCENE, "JPEG", quality=92, subsampling=0),
    "CMYK JPEG": lambda: saved(SCENE.convert("CMYK"), "JPEG", quality=92),
    "PNG": lambda: saved(SCENE, "PNG"),
    "PNG with 256 colours": lambda: saved(SCENE.quantize(256), "PNG"),
    "PNG of 16 bits a channel": lambda: sixteen_bit_rgb_png(SCENE),
    "WebP": lambda: saved(SCENE, "WEBP", quality=90),
    "lossless WebP": lambda: saved(SCENE, "WEBP", lossless=True),
    "TIFF": lambda: saved(SCENE, "TIFF", compression="tiff_lzw"),
    "CMYK TIFF": lambda: saved(SCENE.convert("CMYK"), "TIFF"),
    "TIFF of two frames": lambda: saved(SCENE, "TIFF", save_all=True, append_images=[Image.new("RGB", (1200, 900))]),
    "GIF": lambda: saved(SCENE.quantize(256), "GIF"),
    "GIF of two frames": lambda: saved(
        SCENE.quantize(256), "GIF", save_all=True, append_images=[Image.new("RGB", (1200, 900)).quantize(4)]
    ),
    "ICC profile": lambda: saved(swapped(SCENE), "PNG", icc_profile=profile_with_swapped_colours()),
    "broken ICC profile": lambda: saved(SCENE, "PNG", icc_profile=b"no profile at all"),
    "PDF": lambda: pdf_with(SCENE, (612, 459)),
    "PDF with a page of 5 by 3.75 metres": lambda: pdf_with(SCENE, (14_400, 10_800)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_looks_like_what_was_put_in(kind: str, tmp_path: Path) -> None:
    found = made_of(tmp_path, KINDS[kind](), 600, 150)
    assert found.keys() == {600, 150}
    # A palette of 256 colours is further from the scene than anything done to it here.
    least_db = LIKE_DB - 4 if "256" in kind or "GIF" in kind else LIKE_DB
    for size, picture in found.items():
        assert picture.size == reference(size).size
        assert likeness_db(picture, reference(size)) > least_db
        assert sharpness(picture) > 0.85 * sharpness(reference(size))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_stands_upright_however_the_camera_was_held(format: str, orientation: int, tmp_path: Path) -> None:
    data = saved(turned(orientation)(SCENE), format, exif=exif(orientation=orientation), quality=92)
    picture = made_of(tmp_path, data, 300)[300]
    assert picture.size == (300, 225)
    for colour, (x, y) in CORNERS.items():
        got = picture.convert("RGB").getpixel((int(x * 300), int(y * 225)))
        expected = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
        assert max(abs(a - b) for a, b in zip(got, expected, strict=True)) < 30, (colour, got)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_what_is_transparent_is_white(mode: str, tmp_path: Path) -> None:
    clear = Image.new("RGBA", (800, 600), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((400, 0, 800, 600), fill=(90, 90, 90, 255))
    data = saved(clear.quantize(8) if mode == "P" else clear.convert(mode), "TIFF" if mode == "PA" else "PNG")
    picture = made_of(tmp_path, data, 200)[200].convert("RGB")
    assert min(picture.getpixel((20, 75))) > 250
    assert all(abs(value - 90) < 6 for value in picture.getpixel((180, 75)))
    # No dark fringe: what the transparent pixels would be is not mixed in.
    assert min(picture.getpixel((97, 75))) > 245


def test_a_colour_declared_transparent_is_white(tmp_path: Path) -> None:
    data = saved(Image.new("RGB", (400, 400), (0, 0, 255)), "PNG", transparency=(0, 0, 255))
    assert min(made_of(tmp_path, data, 100)[100].convert("RGB").getpixel((50, 50))) > 250


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_keep_their_brightness(format: str, tmp_path: Path) -> None:
    picture = made_of(tmp_path, saved(sixteen_bit_grey(SCENE), format), 300)[300]
    assert likeness_db(picture, reference(300, SCENE.convert("L"))) > LIKE_DB


def test_measurements_are_spread_from_black_to_white(tmp_path: Path) -> None:
    values = SCENE.convert("L").convert("F").point(lambda value: value * 0.01 + 3)
    picture = made_of(tmp_path, saved(values, "TIFF"), 300)[300]
    assert likeness_db(picture, reference(300, SCENE.convert("L"))) > LIKE_DB


def test_black_and_white_becomes_grey(tmp_path: Path) -> None:
    stripes = Image.new("1", (1000, 1000), 1)
    for x in range(0, 1000, 2):
        ImageDraw.Draw(stripes).line((x, 0, x, 1000), fill=0)
    picture = made_of(tmp_path, saved(stripes, "TIFF", compression="group4"), 100)[100].convert("RGB")
    assert all(abs(value - 127) < 12 for value in picture.getpixel((50, 50)))


def test_lab_colours(tmp_path: Path) -> None:
    grey_and_red = Image.new("LAB", (400, 200), (128, 128, 128))
    grey_and_red.paste((136, 208, 195), (200, 0, 400, 200))
    picture = made_of(tmp_path, saved(grey_and_red, "TIFF"), 100)[100].convert("RGB")
    red, green, blue = picture.getpixel((80, 25))
    assert red > 220 and green < 60 and blue < 60
    assert max(picture.getpixel((20, 25))) - min(picture.getpixel((20, 25))) < 8


def test_a_small_picture_is_not_enlarged(tmp_path: Path) -> None:
    found = made_of(tmp_path, saved(SCENE.resize((40, 30)), "PNG"), 150, 600)
    assert {size: picture.size for size, picture in found.items()} == {150: (40, 30), 600: (40, 30)}


@pytest.mark.parametrize("size", [(3000, 2), (2, 3000), (1, 1)])
def test_the_thinnest_picture_has_a_thumbnail(size: tuple[int, int], tmp_path: Path) -> None:
    picture = made_of(tmp_path, saved(Image.new("RGB", size, "teal"), "PNG"), 150)[150]
    assert picture.size == fitted(size, (150, 150)) and min(picture.size) == 1


def test_both_formats_are_written_bare(tmp_path: Path) -> None:
    data = saved(
        SCENE, "JPEG", exif=exif(place=True, taken="2026:05:01 12:00:00"), icc_profile=profile_with_swapped_colours()
    )
    found = render_thumbnails(written(tmp_path, data), variants([150]))
    assert [one.variant for one in found] == [Variant(150, "jpeg"), Variant(150, "webp")]
    for one in found:
        picture = Image.open(io.BytesIO(one.data))
        assert picture.format == one.variant.format.upper() and picture.size == (one.width, one.height) == (150, 112)
        assert not picture.getexif() and "icc_profile" not in picture.info and len(one.data) < 12_000


@pytest.mark.parametrize("kind", DEPTHS)
def test_any_depth_is_shown_by_its_own_levels(tmp_path: Path, kind: str) -> None:
    grey = SCENE.convert("L")
    shown = made_of(tmp_path, DEPTHS[kind](grey), 300)[300]
    assert likeness_db(shown, reference(300, grey)) > LIKE_DB


@pytest.mark.parametrize("kind", TURNS)
def test_any_turn_of_any_kind_is_undone_once(tmp_path: Path, kind: str) -> None:
    grey = SCENE.convert("L")
    shown = made_of(tmp_path, turned_file(grey, *TURNS[kind]), 300)[300]
    assert likeness_db(shown, reference(300, grey)) > LIKE_DB


@pytest.mark.parametrize("kind", OBLONG)
def test_oblong_pixels_are_shown_in_their_shape(tmp_path: Path, kind: str) -> None:
    data = OBLONG[kind](SCENE.convert("L"))
    with Image.open(io.BytesIO(data)) as image:
        across, down = image.info["dpi"]
    if "side" in kind:
        across, down = down, across
    shown = made_of(tmp_path, data, 300)[300]
    shape = (SCENE.width / across) / (SCENE.height / down)
    assert shown.width / shown.height == pytest.approx(shape, rel=0.02)
    assert max(shown.size) == 300
