"""EasyOCR's reading of an upright picture, on any pair of networks."""

import cv2
import numpy as np

from tasks.ocr.easyocr_decoding import craft, ctc, pieces
from tasks.ocr.easyocr_decoding.crops import batches, cut, stretched
from tasks.ocr.engines import ReadWord
from tasks.ocr.networks.network import Networks

CANVAS = 1600
"""Longest side of a page as the detector sees it: half the time of EasyOCR's 2560 for two thousandths of recall."""

MAP_SCALE = 2
"""CRAFT's maps are half the size of its input."""

FAINT_CONFIDENCE = 0.1
"""Pieces read with less are read again with more contrast (EasyOCR's contrast_ths)."""


class EasyReader:
    """Boxes by CRAFT, words by the recogniser."""

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    def read(self, picture: np.ndarray, page_side: int) -> list[ReadWord]:
        """Words of an upright grey picture cut from a page whose longest side is `page_side` pixels."""
        found = self._pieces(picture, page_side)
        return _words(found, self._spelled([cut(picture, corners) for corners in found]))

    def crops(self, picture: np.ndarray, page_side: int) -> list[np.ndarray]:
        """Input of the recogniser of the picture."""
        return [cut(picture, corners) for corners in self._pieces(picture, page_side)]

    def reduced(self, picture: np.ndarray, page_side: int) -> tuple[np.ndarray, float]:
        """Input of CRAFT for the picture, and its scale."""
        scale = CANVAS / page_side
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), scale

    def _pieces(self, picture: np.ndarray, page_side: int) -> np.ndarray:
        small, scale = self.reduced(picture, page_side)
        letters, links = self.networks.maps(small)
        return pieces.pieces(craft.boxes(letters, links) * (MAP_SCALE / scale))

    def _spelled(self, crops: list[np.ndarray]) -> list[list[ctc.Spelled]]:
        """The words of each crop; faint ones are read a second time, and the surer reading is kept."""
        sure = [0.0] * len(crops)
        spelled: list[list[ctc.Spelled]] = [[] for _ in crops]
        faint = list(range(len(crops)))
        for prepare in (lambda crop: crop, stretched):
            chosen = [prepare(crops[index]) for index in faint]
            for members, pictures in batches(chosen):
                for member, probabilities in zip(members, self.networks.probabilities(pictures), strict=True):
                    index, used = faint[member], chosen[member].shape[1] / pictures.shape[3]
                    confidence = ctc.piece_confidence(probabilities)
                    if confidence > sure[index]:
                        sure[index] = confidence
                        spelled[index] = ctc.spell(probabilities, self.networks.alphabet, used)
            faint = [index for index in faint if sure[index] < FAINT_CONFIDENCE]
        return spelled


def _words(found: np.ndarray, read: list[list[ctc.Spelled]]) -> list[ReadWord]:
    """Each piece's words at their shares of its corners."""
    words: list[ReadWord] = []
    for corners, spelled in zip(found, read, strict=True):
        along_top, along_bottom = corners[1] - corners[0], corners[2] - corners[3]
        for word in spelled:
            ends = [corners[0] + share * along_top for share in (word.start, word.end)]
            ends += [corners[3] + share * along_bottom for share in (word.start, word.end)]
            (left, top), (right, bottom) = np.min(ends, axis=0).tolist(), np.max(ends, axis=0).tolist()
            words.append(ReadWord(word.text, (left, top, right, bottom), word.confidence))
    return words
