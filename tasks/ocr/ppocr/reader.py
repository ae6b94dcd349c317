"""Words of an upright page."""

from dataclasses import dataclass

import cv2
import numpy as np

from tasks.ocr.ppocr.alphabet import LATIN
from tasks.ocr.ppocr.boxes import boxes, corners_of
from tasks.ocr.ppocr.crops import batches, cut
from tasks.ocr.ppocr.letters import Spelled, confidence, spell
from tasks.ocr.ppocr.networks import SIDE_MULTIPLE, Networks
from tasks.ocr.ppocr.spacing import STEP

UPRIGHT = 2.5
"""A box higher than this many times its width is not read as it stands: it is a line that runs up or down."""

SIDEWAYS = 1.5
"""A box higher than this many times its width is read turned either way; the surest of the readings is kept."""

DOUBTFUL = 0.8
"""Mean confidence under which a line is looked up among all letters that the recogniser knows, not only the wanted."""

SURER = 0.05
"""By so much must the reading among all letters be surer to be kept."""


@dataclass
class Line:
    """A line's box (see `boxes.boxes`), clockwise quarter turns that brought it upright, and its words."""

    box: np.ndarray
    turns: int
    words: list[Spelled]


def located(networks: Networks, picture: np.ndarray, scale: float) -> np.ndarray:
    """The boxes of lines in a picture that is shown to the detector at about `scale`, in the picture's pixels."""
    longer = max(picture.shape)
    if longer * scale >= 10 * SIDE_MULTIPLE:
        # Pages of nearly the same size are shown at the same one, for which the runtime is prepared.
        scale = SIDE_MULTIPLE * round(longer * scale / SIDE_MULTIPLE) / longer
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    found = boxes(networks.likely(small))
    # The longer side is the one whose scale is rounded least.
    found[:, :4] *= longer / max(small.shape)
    return found


def read_lines(
    networks: Networks, picture: np.ndarray, found: np.ndarray, letters: frozenset[str] | None = LATIN
) -> list[Line]:
    """The words in each box. Lines that run up or down are read turned."""
    tries = [(index, turns) for index, box in enumerate(found) for turns in _turns(box)]
    spelled = _spelled(networks, [cut(picture, found[index], turns) for index, turns in tries], letters)
    best: dict[int, tuple[float, int, list[Spelled]]] = {}
    for (index, turns), words in zip(tries, spelled, strict=True):
        sure = confidence(words)
        if index not in best or sure > best[index][0]:
            best[index] = sure, turns, words
    return [Line(found[index], turns, words) for index, (_, turns, words) in sorted(best.items())]


def box_of(line: Line, word: Spelled) -> tuple[float, float, float, float]:
    """The rectangle round a word of a line, in the picture's pixels."""
    corners = np.roll(corners_of(line.box), line.turns, axis=0)
    along_top, along_bottom = corners[1] - corners[0], corners[2] - corners[3]
    ends = [corners[0] + share * along_top for share in (word.start, word.end)]
    ends += [corners[3] + share * along_bottom for share in (word.start, word.end)]
    (left, top), (right, bottom) = np.min(ends, axis=0).tolist(), np.max(ends, axis=0).tolist()
    return left, top, right, bottom


def _turns(box: np.ndarray) -> tuple[int, ...]:
    slim = float(box[3]) / max(1.0, float(box[2]))
    return (0,) if slim < SIDEWAYS else (0, 1, 3) if slim < UPRIGHT else (1, 3)


def _spelled(networks: Networks, crops: list[np.ndarray], letters: frozenset[str] | None) -> list[list[Spelled]]:
    spelled: list[list[Spelled]] = [[] for _ in crops]
    for members, pictures in batches(crops):
        features = networks.features(pictures)
        lines = [crops[member] for member in members]
        rows = _words(networks, features, letters, lines)
        doubtful = [row for row, words in enumerate(rows) if words and confidence(words) < DOUBTFUL]
        if letters is not None and doubtful:
            again = _words(networks, features[doubtful], None, [lines[row] for row in doubtful])
            for row, words in zip(doubtful, again, strict=True):
                if confidence(words) > confidence(rows[row]) + SURER:
                    rows[row] = words
        for row, member in enumerate(members):
            spelled[member] = rows[row]
    return spelled


def _words(
    networks: Networks, features: np.ndarray, letters: frozenset[str] | None, lines: list[np.ndarray]
) -> list[list[Spelled]]:
    classes, likely = networks.classes(features, letters)
    width = STEP * classes.shape[1]
    return [
        spell(classes[row], likely[row], networks.alphabet, line.shape[1] / width, line)
        for row, line in enumerate(lines)
    ]
