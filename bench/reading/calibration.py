"""Confidence held against recall: of the pages that claim so much, the share that deserve it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.reading.result import Result

EDGES = (0.0, 0.5, 0.8, 0.9, 0.95)
"""Lowest confidence of each bin."""

SURE = 0.9
"""A page that claims so much should have a recall as high."""

WRONG = 0.5
"""Recall under which a page is gibberish."""


@dataclass
class Bin:
    """Pages with a confidence from `lowest` to the next bin's."""

    lowest: float
    pages: int = 0
    right: int = 0
    """Pages with a recall of SURE and more."""
    wrong: int = 0
    """Pages with a recall under WRONG."""
    doubtful: int = 0
    recall: float = 0.0
    """Sum of the pages' recall."""


def calibration(results: Sequence[Result]) -> Mapping[str, list[Bin]]:
    """Bins by engine over all of its pages that have both a confidence and a truth; end-to-end readings are not counted
    again."""
    found: dict[str, list[Bin]] = {}
    for one in results:
        for score, confidence, doubtful in zip(one.scores, one.confidences, one.doubtful, strict=False):
            if score is None or confidence is None or one.reader.startswith("Offload"):
                continue
            bins = found.setdefault(one.reader, [Bin(edge) for edge in EDGES])
            _add([bin for bin in bins if bin.lowest <= confidence][-1], score[0], bool(doubtful))
    return found


def _add(bin: Bin, recall: float, doubtful: bool) -> None:
    bin.pages += 1
    bin.right += recall >= SURE
    bin.wrong += recall < WRONG
    bin.doubtful += doubtful
    bin.recall += recall


def claims(bins: Iterable[Bin]) -> tuple[int, int, int]:
    """Pages that claim SURE; those of them that have it; gibberish that claims .8 and more."""
    bins = list(bins)
    sure = [bin for bin in bins if bin.lowest >= SURE]
    return sum(bin.pages for bin in sure), sum(bin.right for bin in sure), sum(bin.wrong for bin in bins[2:])
