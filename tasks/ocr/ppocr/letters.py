"""From the likeliest class at each step to words (greedy connectionist temporal classification, Graves et al. 2006)."""

from dataclasses import dataclass

import numpy as np

from tasks.ocr.ppocr.spacing import lost_spaces

BLANK = 0
"""The class that stands for no letter."""


@dataclass
class Spelled:
    """A word of a line: its share of the line's width from `start` to `end` (0 to 1), and its confidence."""

    text: str
    start: float
    end: float
    confidence: float


def spell(
    classes: np.ndarray, likely: np.ndarray, alphabet: tuple[str, ...], used: float, picture: np.ndarray | None = None
) -> list[Spelled]:
    """The words of a line. `used` is the share of the steps that the line fills, the rest being padding.

    With the line's `picture`, spaces that the recogniser overlooked are found again (see `lost_spaces`).
    """
    steps = max(1.0, len(classes) * used)
    fresh = np.flatnonzero((classes != BLANK) & (classes != np.concatenate(([BLANK], classes[:-1]))))
    letters = [(alphabet[classes[step]], step) for step in fresh.tolist()]
    lost = set(lost_spaces(letters, picture)) if picture is not None else set()
    words: list[Spelled] = []
    group: list[tuple[str, int, float]] = []
    edge = 0.0
    for place, (letter, step) in enumerate([*letters, (" ", len(classes))]):
        if letter.isspace() or place in lost:
            # A lost space has no step of its own: it ends halfway to the letter before.
            end = min(1.0, (step if letter.isspace() else 0.5 * (letters[place - 1][1] + step + 1)) / steps)
            if group:
                words.append(_word(group, edge, end, steps))
                group = []
            edge = end
        if not letter.isspace():
            group.append((letter, step, float(likely[step])))
    return words


def confidence(words: list[Spelled]) -> float:
    """Mean over the words' letters; 0 where there are none."""
    letters = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / letters if letters else 0.0


def _word(group: list[tuple[str, int, float]], left: float, right: float, steps: float) -> Spelled:
    """Its letters peak near their middles; the word ends half a letter beyond the outer ones, if no space is nearer."""
    first, last = group[0][1], group[-1][1]
    half = 0.5 * (last - first) / (len(group) - 1) if len(group) > 1 else 1.0
    return Spelled(
        text="".join(letter for letter, _, _ in group),
        start=max(left, (first + 0.5 - half) / steps),
        end=min(right, (last + 0.5 + half) / steps),
        confidence=float(np.mean([share for _, _, share in group])),
    )
