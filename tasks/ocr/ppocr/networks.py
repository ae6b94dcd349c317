"""The detector and the recogniser, opened from the files in RapidOCR's wheel. Nothing is downloaded or converted."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tasks.ocr.ppocr.alphabet import chosen

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"

ONE_THREAD = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False}
"""Two children of one thread read more than one of two; pinned, both would sit on the same core."""

LINE_CACHE = {"CPU_RUNTIME_CACHE_CAPACITY": 3000}
"""Layers prepared for a shape that are kept, some fifty a shape. The lines' shapes are few (`crops.WIDTHS`) and all fit: to
prepare them again for each batch took a third of the reading."""

PAGE_CACHE = {"CPU_RUNTIME_CACHE_CAPACITY": 600}
"""The same for the detector: a document's pages have a few sizes, and the memory of each is some 10 MB."""

SIDE_MULTIPLE = 64
"""Pixels; twice what the detector needs, which halves its input five times: fewer shapes to prepare for."""

SPACE = " "


class Networks:
    """Detector and recogniser on one thread. The recogniser's last layer, which knows 18,708 letters, is apart."""

    def __init__(self) -> None:
        import openvino

        core = openvino.Core()
        folder = models_folder()
        self._detector = core.compile_model(
            _from_grey(core.read_model(folder / DETECTOR), -1), "CPU", ONE_THREAD | PAGE_CACHE
        )
        recogniser = _from_grey(core.read_model(folder / RECOGNISER), 48)
        letters = str(recogniser.get_rt_info(["framework", "character"]).value).split("\n")
        self.alphabet = ("", *letters[: _classes(recogniser) - 2], SPACE)
        """The letter of each class; the first stands for no letter."""
        body, self._weights, self._bias = _without_head(recogniser)
        self._body = core.compile_model(body, "CPU", _SETTINGS)
        self._core = core
        self._heads: dict[frozenset[str] | None, _Head] = {}

    def likely(self, picture: np.ndarray) -> np.ndarray:
        """The detector's map of a grey picture, of the same size."""
        below, right = (-side % SIDE_MULTIPLE for side in picture.shape)
        padded = np.pad(picture, ((0, below), (0, right)), "edge")[None, None]
        return self._detector(padded)[0][0, 0, : picture.shape[0], : picture.shape[1]]

    def features(self, crops: np.ndarray) -> np.ndarray:
        """Output of the recogniser for crops (n, 1, 48, width): (n, steps, 120), eight columns a step."""
        return self._body(crops)[0]

    def classes(self, features: np.ndarray, letters: frozenset[str] | None) -> tuple[np.ndarray, np.ndarray]:
        """The likeliest of `letters` (None: all that it knows) at each step as a class, and its probability."""
        if letters not in self._heads:
            self._heads[letters] = _Head(self._core, self._weights, self._bias, chosen(self.alphabet, letters))
        return self._heads[letters](features)


class _Head:
    """The last layer, for some classes only: with all 18,710 it takes a third of the recogniser's time."""

    def __init__(self, core: Any, weights: np.ndarray, bias: np.ndarray, classes: np.ndarray) -> None:
        import openvino
        from openvino import opset13 as ops

        self._classes = classes
        features = ops.parameter(openvino.PartialShape([-1, -1, len(weights)]), openvino.Type.f32)
        products = ops.matmul(features, ops.constant(np.ascontiguousarray(weights[:, classes])), False, False)
        scores = ops.softmax(ops.add(products, ops.constant(bias[classes])), 2)
        best = ops.topk(scores, ops.constant(np.int64(1)), 2, "max", "none")
        model = openvino.Model([best.output(0), best.output(1)], [features])
        self._model = core.compile_model(model, "CPU", _SETTINGS)

    def __call__(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        best = self._model(features)
        return self._classes[best[1][..., 0]], best[0][..., 0]


_SETTINGS = ONE_THREAD | LINE_CACHE


@cache
def networks() -> Networks:
    """The process's own pair."""
    return Networks()


def models_folder() -> Path:
    """The folder of networks in RapidOCR's wheel. Importing the package would take half a second and 30 MB."""
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("RapidOCR is not installed: pip install 'offload[ocr]'")
    return Path(spec.origin).parent / "models"


def _classes(recogniser: Any) -> int:
    return int(recogniser.outputs[0].get_partial_shape()[2].get_length())


def _from_grey(model: Any, height: int) -> Any:
    """The network with grey pixels (n, 1, height, width) as its input, for three normalised colours."""
    import openvino
    from openvino import opset13 as ops

    colours = model.get_parameters()[0]
    grey = ops.parameter(openvino.PartialShape([-1, 1, height, -1]), openvino.Type.u8, name="grey")
    half = ops.constant(np.float32(127.5))
    normal = ops.subtract(ops.divide(ops.convert(grey, "f32"), half), ops.constant(np.float32(1)))
    three = ops.concat([normal, normal, normal], 1)
    for target in list(colours.output(0).get_target_inputs()):
        target.replace_source_output(three.output(0))
    model.add_parameters([grey])
    model.remove_parameter(colours)
    model.validate_nodes_and_infer_types()
    return model


def _without_head(recogniser: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """The recogniser up to its last layer, and that layer's weights and bias."""
    import openvino

    add = recogniser.outputs[0].get_node().input_value(0).get_node().input_value(0).get_node()
    if add.get_type_name() != "Add":
        add = recogniser.get_results()[0].input_value(0).get_node().input_value(0).get_node()
    while add.get_type_name() == "Identity":
        add = add.input_value(0).get_node()
    product, bias = add.input_value(0).get_node(), add.input_value(1).get_node()
    weights = product.input_value(1).get_node()
    body = openvino.Model([product.input_value(0)], recogniser.get_parameters())
    return body, np.array(weights.data), np.array(bias.data)
