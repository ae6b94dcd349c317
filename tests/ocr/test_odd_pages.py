"""Pages that no reader can do much with: few words or none, in bounded work, and doubtful where a person should look."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.ocr.page import Reading, read_page
from tasks.ocr.words import PageText, decode

SIZE = 1240, 1754


def read(tmp_path: Path, picture: Image.Image) -> PageText:
    picture.save(tmp_path / "page.png", dpi=(150, 150))
    return decode(read_page(tmp_path / "page.png", 0, Reading(tmp_path, "rapidocr")))


def paper() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("L", SIZE, 255)
    return page, ImageDraw.Draw(page)


def photograph() -> Image.Image:
    small = np.random.default_rng(0).integers(0, 255, (30, 22)).astype(np.uint8)
    return Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)


def ten_thousand_dots() -> Image.Image:
    page, draw = paper()
    for x, y in np.random.default_rng(0).integers(0, 1230, (10_000, 2)).tolist():
        draw.ellipse((x, y * 1.4, x + 4, y * 1.4 + 4), fill=0)
    return page


def barcode() -> Image.Image:
    page, draw = paper()
    for number in range(90):
        draw.rectangle((200 + number * 9, 700, 203 + number * 9 + number * 7 % 5, 1000), fill=0)
    return page


def scribble() -> Image.Image:
    page, draw = paper()
    steps = np.arange(170)
    for line in range(18):
        heights = 120 + line * 80 + 14 * np.sin(steps * 0.9 + line) + 9 * np.sin(steps * 2.3 + 2 * line)
        draw.line(list(zip((100 + 6 * steps).tolist(), heights.tolist(), strict=True)), fill=40, width=4)
    return page


def music() -> Image.Image:
    page, draw = paper()
    for stave in range(10):
        for line in range(5):
            draw.line((100, 150 + stave * 150 + line * 14, 1140, 150 + stave * 150 + line * 14), fill=0, width=2)
        for note in range(16):
            x, y = 150 + note * 60, 150 + stave * 150 + note * 5 % 8 * 7
            draw.ellipse((x, y, x + 16, y + 12), fill=0)
            draw.line((x + 15, y + 6, x + 15, y - 40), fill=0, width=2)
    return page


@pytest.mark.parametrize("drawn", [photograph, ten_thousand_dots, barcode, scribble, music])
def test_a_page_without_text_is_doubtful(tmp_path: Path, drawn) -> None:
    page = read(tmp_path, drawn())
    assert page.doubtful
    assert page.doubt
    assert page.confidence < 0.5


def test_a_page_black_all_over_is_doubtful_and_an_empty_one_is_not(tmp_path: Path) -> None:
    black = read(tmp_path, Image.new("L", SIZE, 3))
    assert (black.source, black.doubt) == ("blank", "The page is black all over.")
    assert not read(tmp_path, Image.new("L", SIZE, 252)).doubtful


@pytest.mark.parametrize("size", [(1, 16_000), (16_000, 1), (3, 16_000), (16_000, 40)])
def test_a_strip_is_read_without_words(tmp_path: Path, size: tuple[int, int]) -> None:
    strip = np.full(size[::-1], 255, np.uint8)
    strip[::7] = 0
    strip[:, ::9] = 0
    assert read(tmp_path, Image.fromarray(strip)).words == []


@pytest.mark.parametrize("grey", [(255, 228), (225, 200)])
def test_faint_print_is_read(tmp_path: Path, grey: tuple[int, int]) -> None:
    page = Image.new("L", SIZE, grey[0])
    ImageDraw.Draw(page).text((120, 300), "Heating and water are included", grey[1], ImageFont.load_default(40))
    assert read(tmp_path, page).text == "Heating and water are included"


@pytest.mark.parametrize("number", ["7", "17"])
def test_a_lone_number_on_a_large_page_is_read(tmp_path: Path, number: str) -> None:
    page = Image.new("L", (3508, 4961), 255)
    ImageDraw.Draw(page).text((1750, 4700), number, 0, ImageFont.load_default(56))
    assert read(tmp_path, page).text == number


def test_small_print_and_letters_of_half_a_page_are_read(tmp_path: Path) -> None:
    page, draw = paper()
    for line in range(20):
        draw.text((100, 100 + 30 * line), "Small print of four points on a page", 0, ImageFont.load_default(17))
    # At 8 pixels a small s and a large one are the same.
    assert read(tmp_path, page).text.lower().split("\n").count("small print of four points on a page") == 20
    large = Image.new("L", (3600, 2600), 255)
    ImageDraw.Draw(large).text((200, 100), "Hg", 0, ImageFont.load_default(1800))
    assert "H" in read(tmp_path, large).text


@pytest.mark.parametrize("angle", [-30, -12, 20, 38])
def test_text_at_an_angle_is_levelled(tmp_path: Path, angle: int) -> None:
    page, draw = paper()
    for line in range(12):
        draw.text(
            (200, 300 + 70 * line), f"Paragraph {line + 10} of the rental agreement", 0, ImageFont.load_default(36)
        )
    read_page = read(tmp_path, page.rotate(angle, expand=True, fillcolor=255))
    assert read_page.text.split("\n")[2] == "Paragraph 12 of the rental agreement"
    assert read_page.skew == pytest.approx(-angle, abs=0.3)


def test_a_negative_is_read(tmp_path: Path) -> None:
    page = Image.new("L", SIZE, 10)
    ImageDraw.Draw(page).text((120, 300), "Notice period is three months", 240, ImageFont.load_default(40))
    assert read(tmp_path, page).text == "Notice period is three months"


def test_a_negative_that_is_half_light_is_read(tmp_path: Path) -> None:
    """As of a photographed page on a dark table: what was the table is the lighter half of its negative."""
    page = Image.new("L", SIZE, 255)
    draw = ImageDraw.Draw(page)
    draw.rectangle((350, 0, 900, SIZE[1]), fill=100)
    draw.text((400, 300), "Three months of notice", 240, ImageFont.load_default(40))
    assert read(tmp_path, page).text == "Three months of notice"


WORDS = "Keys were handed over on Monday"


@pytest.mark.parametrize("name", ["page.png", "page.jpg"])
def test_red_on_green_of_equal_grey_is_read(tmp_path: Path, name: str) -> None:
    page = Image.new("RGB", SIZE, (0, 102, 0))
    ImageDraw.Draw(page).text((120, 300), WORDS, (200, 0, 0), ImageFont.load_default(40))
    grey = np.asarray(page.convert("L"))
    assert int(grey.max()) - int(grey.min()) <= 1
    page.save(tmp_path / name, dpi=(150, 150), quality=95, subsampling=0)
    assert decode(read_page(tmp_path / name, 0, Reading(tmp_path, "rapidocr"))).text == WORDS


@pytest.mark.parametrize("ink", ["white", "black"])
def test_print_on_transparent_paper_is_read(tmp_path: Path, ink: str) -> None:
    page = Image.new("RGBA", SIZE, (0, 0, 0, 0) if ink == "black" else (255, 255, 255, 0))
    ImageDraw.Draw(page).text((120, 300), WORDS, ink, ImageFont.load_default(40))
    assert read(tmp_path, page).text == WORDS
