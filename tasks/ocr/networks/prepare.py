"""Make the int8 networks, once a machine: `python -m tasks.ocr.networks.prepare MODELS_FOLDER [LANGUAGE…]`."""

import logging
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np

from tasks.ocr.easyocr_decoding.reader import EasyReader
from tasks.ocr.networks.model_cache import Shelf
from tasks.ocr.networks.names import names
from tasks.ocr.networks.network import Networks, detector_input
from tasks.ocr.networks.quantize import calibration_pages, quantize_detector, quantize_recogniser

PAGE_SIDE = 2339
"""Longest side of the calibration pages before they were cut to their ink: A4 at 200 dpi."""


def prepare(models: Path, languages: tuple[str, ...]) -> None:
    """Calibrate what is missing. Minutes of work on one core; safe to be killed at any moment, and to run twice."""
    shelf = Shelf(models)
    detector, recogniser = names(languages, small=True)
    if shelf.find(detector) and shelf.find(recogniser):
        return
    reader = EasyReader(Networks(shelf, languages))
    inputs: list[np.ndarray] = []
    crops: list[np.ndarray] = []
    for page in calibration_pages():
        inputs.append(detector_input(reader.reduced(page, PAGE_SIDE)[0]))
        crops.extend(reader.crops(page, PAGE_SIDE))
    sources = [shelf.folder / name for name in names(languages, small=False)]
    shelf.get(detector, partial(quantize_detector, sources[0], inputs))
    shelf.get(recogniser, partial(quantize_recogniser, sources[1], crops))


if __name__ == "__main__":
    logging.disable(logging.INFO)
    os.nice(19)
    prepare(Path(sys.argv[1]), tuple(sys.argv[2:]) or ("en",))
