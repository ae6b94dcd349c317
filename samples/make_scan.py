"""Make samples/scan.pdf: three pages that look as if they came from an office scanner, with no text layer.

Run: `python samples/make_scan.py`. Rendered with the font that Pillow carries, so every machine makes the same pages.
`PAGES` is what a perfect reader would read.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

DPI = 150
WIDTH, HEIGHT = 1240, 1754
"""A4 at 150 dpi: what office scanners send by mail unless told otherwise."""

MARGIN = 140
LINE = 52
FONT_SIZE = 32
"""Pixels: 15 points at 150 dpi."""

SEED = 7

PAGES = (
    """Meeting of the harbour board

Minutes of the fourteenth meeting, held in the old
customs house on a wet Thursday in November.

The chair opened the meeting at nine and thanked the
members for coming in spite of the storm. The minutes
of the thirteenth meeting were read and accepted.

The harbour master reported that 312 vessels had called
since the last meeting, eleven more than in the year
before. The dredging of the eastern channel was finished
two weeks late and 4,500 below its budget.

Mrs Lindqvist asked why the crane on the north quay had
stood idle for nine days. The harbour master replied that
a bearing had failed and that the spare part had been sent
to the wrong port.

It was decided to keep two bearings in store from now on.""",
    """The new warehouse

The architect showed three drawings of the warehouse that
is to stand behind the fish market. The first keeps the
brick front of 1904 and builds behind it. The second takes
everything down. The third leaves the front and the roof
and puts a steel frame between them.

The treasurer had reckoned the cost of each: 2,180,000 for
the first, 1,640,000 for the second and 2,950,000 for the
third. Nobody spoke for the third.

Mr Okafor said that a town which pulls down its oldest
front will be looking for it on postcards ten years later.
The board voted six to two for the first drawing.

Work begins in April, when the frost is out of the ground,
and should be done before the herring season.""",
    """Other business

The library asked whether the old charts in the cellar
could be scanned before the damp reaches them. There are
about 900 sheets, the largest a metre wide. The board gave
the librarian leave to borrow them twenty at a time.

The ferry company wishes to run a boat on Sunday evenings
from May to September. The residents of Pier Street have
written against it. The matter was put off until both have
been heard.

The next meeting is on the second Thursday in January at
nine. The chair wished everyone a quiet winter and closed
the meeting at a quarter to twelve.

Signed for the board by the secretary""",
)


def drawn(text: str) -> Image.Image:
    """The text in black on a white page, its first line larger."""
    page = Image.new("L", (WIDTH, HEIGHT), 255)
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(text.splitlines()):
        font = ImageFont.load_default(FONT_SIZE * 1.4 if number == 0 else FONT_SIZE)
        draw.text((MARGIN, MARGIN + number * LINE), line, font=font, fill=20)
    return page


def scanned(page: Image.Image, skew_degrees: float, random: np.random.Generator) -> Image.Image:
    """The page as a scanner sees it: askew, a little soft, on greyish paper, with noise and a shadow at one edge."""
    askew = page.rotate(skew_degrees, resample=Image.Resampling.BICUBIC, fillcolor=255)
    pixels = np.asarray(askew.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32)
    shadow = 30 * np.exp(-np.arange(WIDTH, dtype=np.float32) / 25)
    noisy = pixels * 0.92 + 8 - shadow + random.normal(0, 5, pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def main() -> None:
    """Write the PDF beside this file."""
    random = np.random.default_rng(SEED)
    pages = [scanned(drawn(text), skew, random) for text, skew in zip(PAGES, (0.8, -1.1, 0.5), strict=True)]
    target = Path(__file__).with_name("scan.pdf")
    pages[0].save(target, save_all=True, append_images=pages[1:], resolution=DPI, quality=55)


if __name__ == "__main__":
    main()
