"""A line of print, read as a page's picture is: what a worker tries on itself."""

from pathlib import Path

LINE = "Invoice 4711"


def read_sample(models: Path, engine: str) -> None:
    """Read one line with the engine that jobs use by default. Raises what keeps it from being read."""
    import numpy
    from PIL import Image, ImageDraw, ImageFont

    from tasks.ocr.engines import load_engine
    from tasks.ocr.recognition import read_upright

    picture = Image.new("L", (700, 260), 255)
    ImageDraw.Draw(picture).text((80, 80), LINE, 0, ImageFont.load_default(72))
    read = read_upright(numpy.asarray(picture), load_engine(engine, ("en",), models))
    if not read.words:
        raise RuntimeError(f"The OCR engine {engine} reads nothing of a clean line of print.")
