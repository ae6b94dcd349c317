"""Pages of other kinds than running text, drawn by the tests, each with its truth."""

from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter, ImageFont

Drawing = Callable[[], tuple[Image.Image, str]]

ITEMS = (
    "rye bread", "oat milk", "salted butter", "red apples", "cherry jam", "ground coffee", "washing powder", "bin liners",
    "table candles", "garden twine", "olive oil", "sunflower seeds", "paper towels", "green tea", "brown sugar",
)  # fmt: skip


def _paper(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("L", (width, height), 250)
    return page, ImageDraw.Draw(page)


def receipt() -> tuple[Image.Image, str]:
    """A long slip of two columns far apart: names on the left, prices on the right."""
    page, draw = _paper(620, 1500)
    font = ImageFont.load_default(26)
    lines = [("HILLSIDE GROCERY", ""), ("Receipt", "90417"), ("Till", "3")]
    lines += [(name, f"{3 + 7 * number % 19}.{number * 13 % 90 + 10}") for number, name in enumerate(ITEMS)]
    lines += [("TOTAL", "148.22"), ("Cash", "150.00"), ("Change", "1.78")]
    for number, (name, price) in enumerate(lines):
        draw.text((50, 60 + 62 * number), name, font=font, fill=30)
        draw.text((470, 60 + 62 * number), price, font=font, fill=30)
    return page, "\n".join(f"{name} {price}" for name, price in lines)


def number_columns() -> tuple[Image.Image, str]:
    """A statement: a date, a few words and two columns of figures."""
    page, draw = _paper(1240, 1754)
    font = ImageFont.load_default(28)
    lines = []
    for number in range(40):
        words = [f"{number % 28 + 1:02}.07.", ITEMS[number % len(ITEMS)], f"{number * 37 % 900}.{number % 90 + 10}"]
        words.append(f"{4000 + number * 91}.{number * 7 % 90 + 10}")
        for x, word in zip((90, 260, 760, 1010), words, strict=True):
            draw.text((x, 90 + 40 * number), word, font=font, fill=20)
        lines.append(" ".join(words))
    return page, "\n".join(lines)


def ruled_table() -> tuple[Image.Image, str]:
    """A table whose every cell has a frame, more rules than words."""
    page, draw = _paper(1240, 1000)
    font = ImageFont.load_default(28)
    lines = []
    for row in range(12):
        cells = [ITEMS[row], f"{row * 17 % 40 + 10} pcs", f"{row * 29 % 80 + 10}.50"]
        for column, cell in enumerate(cells):
            x, y = 80 + 360 * column, 80 + 68 * row
            draw.rectangle((x, y, x + 360, y + 68), outline=0, width=3)
            draw.text((x + 20, y + 16), cell, font=font, fill=10)
        lines.append(" ".join(cells))
    return page, "\n".join(lines)


def barcode_label() -> tuple[Image.Image, str]:
    """An address over a barcode that takes half of the label."""
    page, draw = _paper(900, 640)
    font = ImageFont.load_default(34)
    lines = ["Eastfield Books", "9 Canal Street", "20457 Hamburg", "Carton 12 of 30"]
    for number, line in enumerate(lines):
        draw.text((60, 40 + 56 * number), line, font=font, fill=0)
    x = 60
    for number in range(80):
        width = 3 + number * 7 % 11
        if number % 2 == 0:
            draw.rectangle((x, 300, x + width, 590), fill=0)
        x += width
    return page, "\n".join(lines)


def scanner_edge() -> tuple[Image.Image, str]:
    """A letter on a scanner's glass that it does not fill: black on the left and below, with a soft shadow."""
    page, draw = _paper(1100, 1500)
    font = ImageFont.load_default(32)
    lines = [f"Paragraph {number} of the lease concerns {ITEMS[number]} and their storage" for number in range(12)]
    for number, line in enumerate(lines):
        draw.text((70, 110 + 90 * number), line, font=font, fill=25)
    glass = Image.new("L", (1300, 1650), 12)
    glass.paste(page, (200, 0))
    shadow = Image.new("L", glass.size, 255)
    ImageDraw.Draw(shadow).rectangle((0, 0, 205, 1650), fill=120)
    glass = Image.composite(glass, Image.new("L", glass.size, 12), shadow.filter(ImageFilter.GaussianBlur(3)))
    return glass, "\n".join(lines)


ALL: list[Drawing] = [receipt, number_columns, ruled_table, barcode_label, scanner_edge]
