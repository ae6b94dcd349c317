"""Int8 networks, calibrated on pages that the program sets and wears itself, never on pages anything is scored on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tasks.ocr.deskew import set_upright
from tasks.ocr.easyocr_decoding.crops import batches
from tasks.ocr.ink import Ink
from tasks.ocr.networks.convert import NETWORK
from tasks.ocr.synthetic.prose import paragraphs
from tasks.ocr.synthetic.scan import CLEAN, HEAVY, MILD, pictures
from tasks.ocr.synthetic.typeset import Run, Style, Typesetter

SEEDS = range(1_000, 1_006)
"""Of the calibration pages. Tests and benchmarks use none of them."""

DPI = 200

STYLES = (Style("Times-Roman", 11), Style("Helvetica", 10), Style("Courier", 10), Style("Times-Italic", 12))

DETECTOR_SIDE = 768
"""The detector is shown this much of a page, square: ranges of values are the same as on the whole, in half the time."""

CROP_BATCHES = 16
"""Batches of the recogniser's calibration: some 200 pieces of lines."""


def calibration_pages() -> Iterator[np.ndarray]:
    """Upright grey pages of every style and wear."""
    for number, seed in enumerate(SEEDS):
        setter = Typesetter()
        setter.page([Run(paragraphs(seed, 330), STYLES[number % len(STYLES)])])
        wear = (CLEAN, MILD, HEAVY)[number % 3]
        page = np.asarray(pictures(setter.save(), DPI, wear, seed)[0])
        yield set_upright(page, 0, wear.skew, Ink(page).box()).picture


def quantize_detector(source: Path, inputs: list[np.ndarray], folder: Path) -> dict[str, object]:
    """CRAFT in int8; `inputs` are pictures as it is given them."""
    return _quantize(source, [picture[..., :DETECTOR_SIDE, :DETECTOR_SIDE] for picture in inputs], [], folder)


def quantize_recogniser(source: Path, crops: list[np.ndarray], folder: Path) -> dict[str, object]:
    """The recogniser's convolutions in int8. Its LSTMs stay, for rounding there adds up from step to step, and so do the
    products after them: taken to int8 and back, a tenth of the network's time went into the conversion."""
    inputs = [batch for _, batch in batches(crops)]
    chosen = np.random.default_rng(0).permutation(len(inputs))[:CROP_BATCHES]
    return _quantize(source, [inputs[index] for index in chosen], ["LSTMSequence", "TensorIterator", "MatMul"], folder)


def _quantize(source: Path, inputs: list[np.ndarray], left_alone: list[str], folder: Path) -> dict[str, object]:
    import nncf
    import openvino

    model = openvino.Core().read_model(source / NETWORK)
    small = nncf.quantize(
        model,
        nncf.Dataset(inputs),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(inputs),
        ignored_scope=nncf.IgnoredScope(types=left_alone, validate=False),
    )
    openvino.save_model(small, folder / NETWORK)
    return {}
