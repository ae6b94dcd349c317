"""RapidOCR: the PP-OCRv6 networks that come in its wheel, on OpenVINO. Reads Latin, Chinese and Japanese writing."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.ocr.engines import Engine, ReadPage, ReadWord

if TYPE_CHECKING:
    import numpy

DOUBTFUL = 0.9
"""Mean confidence under which the page is read the other way up as well: upright pages stay above .95 however worn."""

LINES_SIDE = 1600
"""Longest side of the picture in which lines are looked for: about 140 dpi of an A4 page. At the 2,000 of RapidOCR's own the
network takes 200 MB more and finds no more; at 1,152 it loses a word of a clean page. Words are read at full resolution."""


class RapidOcr:
    """A `rapidocr.RapidOCR` that answers in words."""

    name = "rapidocr"

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, picture: "numpy.ndarray", page_side: int) -> ReadPage:
        """See Engine.read."""
        words = self._words(picture)
        if not words or confidence(words) < DOUBTFUL:
            turned = self._words(picture[::-1, ::-1])
            if confidence(turned) > confidence(words):
                return ReadPage(turned, upside_down=True)
        return ReadPage(words)

    def _words(self, picture: "numpy.ndarray") -> list[ReadWord]:
        import numpy

        # Lines are level already, so its own look at each line's direction would be time spent twice.
        found = self._reader(numpy.stack([picture] * 3, axis=-1), use_cls=False, return_word_box=True)
        words: list[ReadWord] = []
        # Where it finds nothing its word results are not empty but of another shape.
        for line in found.word_results if found.boxes is not None else ():
            for text, score, corners in line:
                xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
                words.append(ReadWord(text, (min(xs), min(ys), max(xs), max(ys)), float(score)))
        return words


def confidence(words: list[ReadWord]) -> float:
    """Mean over the words' letters; 0 where there are none."""
    letters = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / letters if letters else 0.0


def prepared(languages: tuple[str, ...], models: Path) -> bool:
    """Always: there is nothing to convert."""
    return True


def load(languages: tuple[str, ...], models: Path) -> Engine:
    """One thread, as for the other engines; the networks read all their languages at once."""
    from rapidocr import EngineType, RapidOCR

    stages = {f"{stage}.engine_type": EngineType.OPENVINO for stage in ("Det", "Cls", "Rec")}
    threads = {"EngineConfig.openvino.inference_num_threads": 1, "EngineConfig.openvino.enable_cpu_pinning": False}
    lines = {"Det.limit_type": "max", "Det.limit_side_len": LINES_SIDE}
    return RapidOcr(RapidOCR(params={"Global.log_level": "error", **stages, **threads, **lines}))
