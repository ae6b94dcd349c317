"""From the recogniser's probabilities to words (greedy connectionist temporal classification, Graves et al. 2006)."""

from dataclasses import dataclass

import numpy as np

BLANK = 0
"""The class that stands for "no letter here"; class n is letter n - 1 of the alphabet."""


@dataclass
class Spelled:
    """A word of a piece: its share of the piece's width from `start` to `end` (0 to 1), and its confidence."""

    text: str
    start: float
    end: float
    confidence: float


def piece_confidence(probabilities: np.ndarray) -> float:
    """EasyOCR's measure of a whole piece: the product over its letters to the power of 2 / √n. (steps, classes) in."""
    best = probabilities.max(axis=1)[probabilities.argmax(axis=1) != BLANK]
    return float(best.prod() ** (2.0 / len(best) ** 0.5)) if len(best) else 0.0


def spell(probabilities: np.ndarray, alphabet: str, used: float = 1.0) -> list[Spelled]:
    """The words of a piece. `used` is the share of the steps that the piece fills, the rest being padding."""
    classes = probabilities.argmax(axis=1)
    best = probabilities.max(axis=1)
    steps = max(1.0, len(classes) * used)
    fresh = np.flatnonzero((classes != BLANK) & (classes != np.concatenate(([BLANK], classes[:-1]))))
    letters = [(alphabet[classes[step] - 1], int(step), float(best[step])) for step in fresh]
    words: list[Spelled] = []
    group: list[tuple[str, int, float]] = []
    edge = 0.0
    for letter in [*letters, (" ", len(classes), 1.0)]:
        if letter[0] != " ":
            group.append(letter)
            continue
        end = min(1.0, letter[1] / steps)
        if group:
            words.append(_word(group, edge, end, steps))
            group = []
        edge = end
    return words


def _word(group: list[tuple[str, int, float]], left: float, right: float, steps: float) -> Spelled:
    """Its letters peak near their middles; the word ends half a letter beyond the outer ones, if no space is nearer."""
    first, last = group[0][1], group[-1][1]
    half = 0.5 * (last - first) / (len(group) - 1) if len(group) > 1 else 3.0
    return Spelled(
        text="".join(letter for letter, _, _ in group),
        start=max(left, (first - half) / steps),
        end=min(right, (last + 1 + half) / steps),
        confidence=float(np.exp(np.mean(np.log([max(1e-6, share) for _, _, share in group])))),
    )
