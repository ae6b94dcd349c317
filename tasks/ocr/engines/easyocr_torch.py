"""EasyOCR as its authors ship it, on torch: for languages whose network does not convert."""

from pathlib import Path
from typing import Any

from tasks.ocr.cache_folders import cache_folder
from tasks.ocr.engines import Engine, ReadPage, ReadWord, Sheet
from tasks.ocr.torch_warnings import silenced
from tasks.ocr.weights import weights_folder

CANVAS = 1600
"""Longest side of what the detector sees: half the time of EasyOCR's 2560 for two thousandths of recall."""


class TorchEngine:
    """A stock `easyocr.Reader`. It reads pieces of lines; their words share the piece's box by their letters."""

    name = "easyocr-torch"

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, sheet: Sheet) -> ReadPage:
        """See Engine.read."""
        words: list[ReadWord] = []
        canvas = round(CANVAS * max(sheet.picture.shape) / sheet.page_side)
        for corners, text, confidence in self._reader.readtext(sheet.picture, canvas_size=canvas):
            xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
            words.extend(split(text, (min(xs), min(ys), max(xs), max(ys)), float(confidence)))
        return ReadPage(words)


def split(text: str, box: tuple[float, float, float, float], confidence: float) -> list[ReadWord]:
    """A piece of a line as words, each given the share of the width that its letters have of the text."""
    left, top, right, bottom = box
    letter = (right - left) / max(1, len(text))
    words: list[ReadWord] = []
    start = 0
    for word in text.split(" "):
        if word:
            x = left + start * letter
            words.append(ReadWord(word, (x, top, x + len(word) * letter, bottom), confidence))
        start += len(word) + 1
    return words


@silenced()
def load(languages: tuple[str, ...], models: Path) -> Engine:
    """A reader of `languages` on one thread: the pool's children share the cores among themselves."""
    import easyocr
    import torch

    torch.set_num_threads(1)
    reader = easyocr.Reader(
        list(languages),
        gpu=False,
        model_storage_directory=str(weights_folder(models)),
        # Made when a reader is, used or not; by default below the home folder.
        user_network_directory=str(cache_folder(models.parent) / "easyocr"),
        download_enabled=False,
        verbose=False,
    )
    return TorchEngine(reader)
