"""Direction of a page, found by reading: the detector's boxes show which way lines run, and a few of them, read both
ways up, show which end is the top. Sums of rows and columns do not tell: a receipt's columns, a table's rules, a barcode
and a scanner's edge all look like lines of text that stand on end."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tasks.ocr.ppocr.alphabet import LATIN
from tasks.ocr.ppocr.crops import batches, cut
from tasks.ocr.ppocr.letters import confidence, spell
from tasks.ocr.ppocr.networks import Networks
from tasks.ocr.ppocr.reader import located

SAMPLE_PIXELS = 700_000
"""Pixels of the picture in which lines are looked for first: 1,000 × 700 of an A4 page."""

LONG = 2.0
"""A box so many times longer than high is a line; a single digit says nothing of direction."""

CLEAR = 3.0
"""One direction has so many times the other's length of lines, or both are read."""

PROBES = 4
PROBE_WIDTH = 448
"""Lines read to see which end is the top, and the columns of each that are read: some 25 letters."""

SURE = 0.93
"""Mean confidence above which lines stand upright: upside down, the best reach .85."""

ENOUGH_LETTERS = 12

CONSISTENT = 1.5
"""Degrees by which lines may differ from the page's skew at the median: a page of scattered directions is left as it is."""

SQUARE = 40.0
"""Degrees of skew from which a line's direction could as well be the other one."""


@dataclass(frozen=True)
class Direction:
    """Clockwise quarter turns that bring the page upright, the skew of its lines then, and the `boxes` seen.

    Boxes are those of `ppocr.boxes` in the page's pixels; `scale` is that of the picture in which they were found.
    """

    quarter_turns: int
    skew: float
    boxes: np.ndarray
    scale: float
    sure: bool
    words: tuple[str, ...] = ()
    """Words of the lines that were read to see which end is the top, accents and all."""
    slanted: bool = False
    """True where lines lie halfway between two directions, and cannot be put in order."""

    @property
    def lines(self) -> int:
        """The number of boxes that have the shape of a line."""
        return int((_lengths(self.boxes) > 0).sum())


class Probe(NamedTuple):
    """A few lines read with the page turned: mean confidence, letters and words; nothing where there are none."""

    mean: float
    letters: int
    words: tuple[str, ...]

    @property
    def sure(self) -> bool:
        """True where lines stand upright beyond doubt."""
        return self.mean >= SURE and self.letters >= ENOUGH_LETTERS


def direction(networks: Networks, picture: np.ndarray, turned: int | None = None) -> Direction:
    """Direction of the lines of a grey page, dark on light; `turned` (quarter turns) is one that a person has set."""
    scale = min(1.0, (SAMPLE_PIXELS / max(1, picture.size)) ** 0.5)
    found = located(networks, picture, scale)
    if not len(found):
        return Direction(turned or 0, 0.0, found, scale, sure=False)
    lengths = _lengths(found)
    upright_boxes = found[:, 3] > found[:, 2]
    if turned is not None:
        skew = _skew(found, lengths * (upright_boxes == bool(turned % 2)))
        words = _read(networks, picture, found, lengths, turned).words
        return Direction(turned, skew, found, scale, True, words, _is_slanted(found, lengths))
    level, upright = float(lengths[~upright_boxes].sum()), float(lengths[upright_boxes].sum())
    lying = upright > level
    skew = _skew(found, lengths * (upright_boxes == lying))
    read = {turns: _read(networks, picture, found, lengths, turns) for turns in ((1,) if lying else (0,))}
    (first,) = read
    if not read[first].sure or max(level, upright) < CLEAR * min(level, upright):
        others = [(first + 2) % 4]
        if not read[first].sure or min(level, upright) > 0:
            others += [(first + 1) % 4, (first + 3) % 4]
        for turns in others:
            read[turns] = _read(networks, picture, found, lengths, turns)
    best = max(read, key=lambda turns: read[turns].mean)
    if best % 2 != first % 2:
        skew = _skew(found, lengths * (upright_boxes != lying))
    return Direction(best, skew, found, scale, read[best].sure, read[best].words, _is_slanted(found, lengths))


def _lengths(found: np.ndarray) -> np.ndarray:
    """The length of each line; 0 for a box that has not the shape of one."""
    longer, shorter = found[:, 2:4].max(axis=1, initial=0), found[:, 2:4].min(axis=1, initial=np.inf)
    return longer * (longer >= LONG * shorter)


def _skew(found: np.ndarray, lengths: np.ndarray) -> float:
    """The angle in the middle of the lines' own, longer lines counting more; 0 where they do not agree."""
    angles = found[:, 4]
    lines = lengths > 0
    if not lines.any():
        return 0.0
    skew = _median(angles[lines], lengths[lines])
    apart = _median(np.abs(angles[lines] - skew), lengths[lines])
    return skew + 0.0 if apart <= CONSISTENT and abs(skew) < SQUARE else 0.0


def _is_slanted(found: np.ndarray, lengths: np.ndarray) -> bool:
    return bool((lengths > 0).any()) and _median(np.abs(found[:, 4]), lengths) >= SQUARE


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(values[order][min(middle, len(order) - 1)])


def _read(networks: Networks, picture: np.ndarray, found: np.ndarray, lengths: np.ndarray, turns: int) -> Probe:
    """The longest lines that are level after `turns`."""
    upright_boxes = found[:, 3] > found[:, 2]
    fitting = np.flatnonzero((upright_boxes == bool(turns % 2)) & (lengths > 0))
    chosen = fitting[np.argsort(-lengths[fitting])][:PROBES]
    crops = [cut(picture, found[index], turns)[:, :PROBE_WIDTH] for index in chosen]
    words = []
    for members, pictures in batches(crops):
        classes, likely = networks.classes(networks.features(pictures), LATIN)
        for row, member in enumerate(members):
            used = crops[member].shape[1] / pictures.shape[3]
            words += spell(classes[row], likely[row], networks.alphabet, used)
    return Probe(confidence(words), sum(len(word.text) for word in words), tuple(word.text for word in words))
