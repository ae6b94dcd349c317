"""EasyOCR's torch networks as OpenVINO models. The only module, with the torch engine, that imports torch."""

import tempfile
from pathlib import Path
from typing import Any

from tasks.ocr.torch_warnings import silenced

RGB_MEAN = (0.485, 0.456, 0.406)
RGB_DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet; what EasyOCR normalises colours with before CRAFT (`easyocr.imgproc.normalizeMeanVariance`)."""

NEVER = -1e4
"""Added to the score of a letter outside the wanted languages: its probability becomes nought, the others make up 1."""

NETWORK = "network.xml"


@silenced()
def convert_detector(weights: Path, folder: Path) -> dict[str, object]:
    """CRAFT: grey 0 to 255 (1, 1, height, width) in, letter and link maps (1, height / 2, width / 2, 2) out."""
    import openvino
    import torch

    detector = _reader(weights, ("en",), recognizer=False).detector
    with torch.no_grad():
        detector.basenet.slice1[0] = _taking_grey(detector.basenet.slice1[0])
        model = openvino.convert_model(_first_output(detector).eval(), example_input=torch.zeros(1, 1, 320, 320))
    model.reshape([1, 1, -1, -1])
    openvino.save_model(model, folder / NETWORK)
    return {}


@silenced()
def convert_recogniser(weights: Path, languages: tuple[str, ...], folder: Path) -> dict[str, object]:
    """Crops (n, 1, 64, width) grey 0 to 255 in, probabilities (n, steps, classes) out; class 0 is the blank.

    A network that does not convert leaves nothing but the fact, so that it is not tried again.
    """
    import openvino
    import torch
    from openvino.frontend import OpConversionFailure

    reader = _reader(weights, languages, detector=False)
    mask = torch.zeros(len(reader.character) + 1)
    for index, letter in enumerate(reader.character, 1):
        if letter not in reader.lang_char:
            mask[index] = NEVER
    with torch.no_grad():
        network = _from_pixels(reader.recognizer, mask).eval()
        try:
            model = openvino.convert_model(network, example_input=torch.zeros(2, 1, 64, 256))
            model.reshape([-1, 1, 64, -1])
        except (OpConversionFailure, RuntimeError):
            return {"converts": False}
    openvino.save_model(model, folder / NETWORK)
    return {"converts": True, "alphabet": "".join(reader.character)}


def _reader(weights: Path, languages: tuple[str, ...], **parts: bool) -> Any:
    import easyocr

    # It makes a folder for networks of users' own, by default below a home that a container may not write to.
    with tempfile.TemporaryDirectory(prefix="offload-easyocr-") as no_networks:
        return easyocr.Reader(
            list(languages),
            gpu=False,
            model_storage_directory=str(weights),
            user_network_directory=no_networks,
            download_enabled=False,
            verbose=False,
            # EasyOCR's own int8 is torch's and cannot be converted.
            quantize=False,
            **parts,
        )


def _taking_grey(first: Any) -> Any:
    """The first convolution with the step from grey to normalised colours folded into its weights."""
    import torch

    mean = torch.tensor(RGB_MEAN).view(1, 3, 1, 1)
    deviation = torch.tensor(RGB_DEVIATION).view(1, 3, 1, 1)
    grey = torch.nn.Conv2d(1, first.out_channels, first.kernel_size, padding=first.padding)
    grey.weight = torch.nn.Parameter((first.weight / (255 * deviation)).sum(1, keepdim=True))
    grey.bias = torch.nn.Parameter(first.bias - (first.weight * mean / deviation).sum((1, 2, 3)))
    return grey


def _first_output(network: Any) -> Any:
    import torch

    class First(torch.nn.Module):
        """The first of a network's outputs."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, picture: torch.Tensor) -> torch.Tensor:
            return self.network(picture)[0]

    return First()


def _from_pixels(network: Any, mask: Any) -> Any:
    import torch

    class Recogniser(torch.nn.Module):
        """EasyOCR's recogniser from pixels to probabilities."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.register_buffer("mask", mask)

        def forward(self, crops: torch.Tensor) -> torch.Tensor:
            features = self.network.FeatureExtraction(crops / 127.5 - 1.0)
            # The mean over the height is what AdaptiveAvgPool2d((None, 1)) comes to, and it converts for any width.
            columns = features.permute(0, 3, 1, 2).mean(3)
            scores = self.network.Prediction(self.network.SequenceModeling(columns).contiguous())
            return torch.softmax(scores + self.mask, dim=2)

    return Recogniser()
