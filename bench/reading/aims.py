"""Aims of OCR on two cores, held against the figures of one run."""

from collections.abc import Iterator, Sequence

from bench.reading.calibration import SURE, WRONG, calibration, claims
from bench.reading.documents import WEAR
from bench.reading.result import Result

DEFAULT = "auto"
PAGES_PER_MINUTE = 80.0
TEXT_PAGES_PER_MINUTE = 300.0
FIRST_PAGE_S = 3.0
CHILD_MB = 2_000
HONEST = 0.95
"""Share of the pages that are given a confidence of SURE and more whose recall is as high."""

OURS = f"Offload, {DEFAULT}, end to end"
PEER = "tesseract"

Aim = tuple[str, bool]
"""A line with the aim and the figure, and whether it was met."""


def aims(results: Sequence[Result]) -> list[Aim]:
    """Those whose figures are there."""
    found = {(one.reader, one.document): one for one in results}
    return [*_against_peer(found), *_end_to_end(found), *_honesty(results), *_memory(results)]


def _against_peer(found: dict[tuple[str, str], Result]) -> Iterator[Aim]:
    """On every kind of page more pages a minute than tesseract, and no lower recall."""
    for (reader, document), theirs in found.items():
        ours = found.get((DEFAULT, document))
        if reader != PEER or not ours:
            continue
        times = ours.pages_per_minute / theirs.pages_per_minute
        yield f"{document}: times tesseract's pages a minute, above 1: {times:.2f}", times > 1
        mine, other = ours.mean_scores(), theirs.mean_scores()
        if mine and other:
            yield f"{document}: recall, at least tesseract's {other[0]:.3f}: {mine[0]:.3f}", mine[0] >= other[0]


def _end_to_end(found: dict[tuple[str, str], Result]) -> Iterator[Aim]:
    clean, text = found.get((OURS, "clean")), found.get((OURS, "text layer"))
    if clean:
        rate = clean.pages_per_minute
        yield f"clean pages a minute, at least {PAGES_PER_MINUTE:g}: {rate:.1f}", rate >= PAGES_PER_MINUTE
        yield f"first page, within {FIRST_PAGE_S:g} s: {clean.first_s:.1f}", clean.first_s <= FIRST_PAGE_S
    if text:
        rate = text.pages_per_minute
        line = f"pages with text a minute, at least {TEXT_PAGES_PER_MINUTE:g}: {rate:,.0f}"
        yield line, rate >= TEXT_PAGES_PER_MINUTE


def _honesty(results: Sequence[Result]) -> Iterator[Aim]:
    # Self-made pages are read so well that they would hide what the real ones say.
    real = [one for one in results if one.document not in WEAR]
    for engine, bins in calibration(real).items():
        sure, deserved, wrong = claims(bins)
        if sure:
            share = deserved / sure
            yield f"{engine}: of pages that say {SURE}, at least {HONEST:.0%} have it: {share:.0%}", share >= HONEST
        yield f"{engine}: pages with a recall under {WRONG} that say .8 or more, none: {wrong}", not wrong


def _memory(results: Sequence[Result]) -> Iterator[Aim]:
    peak = max((one.peak_mb for one in results if one.reader.startswith("Offload")), default=0)
    if peak:
        yield f"peak of a child, at most {CHILD_MB:,} MB: {peak:,}", peak <= CHILD_MB
