"""EasyOCR's reading of an upright picture, on any pair of networks."""

import cv2
import numpy as np

from tasks.ocr.easy import craft, ctc, pieces
from tasks.ocr.easy.crops import batches, cut, stretched
from tasks.ocr.engines import ReadPage, ReadWord
from tasks.ocr.networks.network import Networks

CANVAS = 1600
"""Longest side of a page as the detector sees it: half the time of EasyOCR's 2560 for two thousandths of recall."""

MAP_SCALE = 2
"""CRAFT's maps are half the size of its input."""

FAINT_CONFIDENCE = 0.1
"""Pieces read with less are read again with more contrast (EasyOCR's contrast_ths)."""

PROBES = 8
"""Pieces read both ways up, where the first of them reads badly, to find out which way up the page is."""

DOUBTFUL = 0.93
"""Mean confidence under which a page may be upside down: upright ones stay above .95 however worn, others reach .85."""


class EasyReader:
    """Boxes by CRAFT, words by the recogniser."""

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    def read(self, picture: np.ndarray, page_side: int) -> ReadPage:
        """Words of an upright grey picture cut from a page whose longest side is `page_side` pixels."""
        found = self._pieces(picture, page_side)
        crops = [cut(picture, corners) for corners in found]
        if self._upside_down(crops):
            height, width = picture.shape
            picture = picture[::-1, ::-1]
            # Turned by half a turn, a piece's bottom right corner becomes its top left one.
            found = np.roll(np.array([width, height], np.float32) - found, 2, axis=1)
            return ReadPage(self._words(found, [cut(picture, corners) for corners in found]), upside_down=True)
        return ReadPage(self._words(found, crops))

    def crops(self, picture: np.ndarray, page_side: int) -> list[np.ndarray]:
        """What the recogniser would be given of the picture."""
        return [cut(picture, corners) for corners in self._pieces(picture, page_side)]

    def reduced(self, picture: np.ndarray, page_side: int) -> tuple[np.ndarray, float]:
        """What CRAFT would be given of the picture, and its scale."""
        scale = CANVAS / page_side
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), scale

    def _pieces(self, picture: np.ndarray, page_side: int) -> np.ndarray:
        small, scale = self.reduced(picture, page_side)
        letters, links = self.networks.maps(small)
        return pieces.pieces(craft.boxes(letters, links) * (MAP_SCALE / scale))

    def _upside_down(self, crops: list[np.ndarray]) -> bool:
        widest = sorted(crops, key=lambda crop: -crop.shape[1])[:PROBES]
        if not widest:
            return False
        upright = self._confidence(widest)
        return upright < DOUBTFUL and self._confidence([crop[::-1, ::-1] for crop in widest]) > upright

    def _confidence(self, crops: list[np.ndarray]) -> float:
        words = [word for spelled in self._spelled(crops) for word in spelled]
        letters = sum(len(word.text) for word in words)
        return sum(word.confidence * len(word.text) for word in words) / max(1, letters)

    def _words(self, found: np.ndarray, crops: list[np.ndarray]) -> list[ReadWord]:
        words: list[ReadWord] = []
        for corners, spelled in zip(found, self._spelled(crops), strict=True):
            along_top, along_bottom = corners[1] - corners[0], corners[2] - corners[3]
            for word in spelled:
                ends = [corners[0] + share * along_top for share in (word.start, word.end)]
                ends += [corners[3] + share * along_bottom for share in (word.start, word.end)]
                (left, top), (right, bottom) = np.min(ends, axis=0).tolist(), np.max(ends, axis=0).tolist()
                words.append(ReadWord(word.text, (left, top, right, bottom), word.confidence))
        return words

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
