"""The pair of networks that a reader uses, opened from the shelf."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tasks.ocr.networks.convert import NETWORK, convert_detector, convert_recogniser
from tasks.ocr.networks.model_cache import Shelf
from tasks.ocr.networks.names import names
from tasks.ocr.weights import weights_folder

ONE_THREAD = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False}
"""Two children of one thread read more than one of two; pinned, both would sit on the same core."""

SIDE_MULTIPLE = 32
"""CRAFT halves its input five times."""


SHAPE_CACHE = {"CPU_RUNTIME_CACHE_CAPACITY": 64}
"""OpenVINO prepares each layer again for each shape and keeps 5,000 of them: over a long document a gigabyte. With so few
kept, reading costs a twentieth more time in the recogniser, and memory stays level."""


class Unconvertible(Exception):
    """The recogniser of these languages does not become an OpenVINO model."""


class Networks:
    """CRAFT and a recogniser on one thread. `small` says whether both are the int8 ones."""

    def __init__(self, shelf: Shelf, languages: tuple[str, ...]) -> None:
        import openvino

        core = openvino.Core()
        weights = weights_folder(shelf.folder)
        detector, recogniser = names(languages, small=True)
        self.small = bool(shelf.find(detector) and shelf.find(recogniser))
        if not self.small:
            detector, recogniser = names(languages, small=False)
            shelf.get(detector, partial(convert_detector, weights))
        recogniser_float = names(languages, small=False)[1]
        shelf.get(recogniser_float, partial(convert_recogniser, weights, languages))
        facts = shelf.facts(recogniser_float)
        if not facts["converts"]:
            raise Unconvertible(languages)
        self.alphabet = str(facts["alphabet"])
        self._detector = _open(core, shelf.folder / detector)
        self._recogniser = _open(core, shelf.folder / recogniser)

    def maps(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """CRAFT's letter and link maps of a grey picture, at half its size."""
        out = self._detector(detector_input(picture))[0][0]
        height, width = picture.shape[0] // 2, picture.shape[1] // 2
        return out[:height, :width, 0], out[:height, :width, 1]

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """(n, 1, 64, width) in, (n, steps, classes) out."""
        return self._recogniser(crops)[0]


def detector_input(picture: np.ndarray) -> np.ndarray:
    """A grey picture as CRAFT takes it, padded at the right and the bottom by repeating its edge."""
    below, right = (-side % SIDE_MULTIPLE for side in picture.shape)
    return np.pad(picture, ((0, below), (0, right)), "edge")[None, None].astype(np.float32)


def _open(core: Any, entry: Path) -> Any:
    return core.compile_model(entry / NETWORK, "CPU", ONE_THREAD | SHAPE_CACHE)
