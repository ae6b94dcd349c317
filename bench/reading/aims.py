"""What the product promises of its OCR on two cores, held against the figures of one run."""

from collections.abc import Sequence

from bench.reading.result import Result

PAGES_PER_MINUTE = 40.0
TIMES_STOCK = 12.0
TEXT_PAGES_PER_MINUTE = 300.0
BELOW_STOCK = {"clean": 0.005, "mild": 0.01, "heavy": 0.01}
"""How much less than stock EasyOCR's our recall and precision may be, over the pages that both have read."""

AUTO_RECALL = 0.985
CHILD_MB = 2_000

OURS = "Offload, easyocr, end to end"
AUTO = "Offload, auto, end to end"
STOCK = "stock EasyOCR"


def aims(results: Sequence[Result]) -> list[tuple[str, bool]]:
    """(a line with the aim and the figure, whether it was met), for those aims whose figures are there."""
    found = {(one.reader, one.document): one for one in results}
    met: list[tuple[str, bool]] = []
    clean, stock = found.get((OURS, "clean")), found.get((STOCK, "clean"))
    if clean:
        rate = clean.pages_per_minute
        met.append((f"clean pages a minute, at least {PAGES_PER_MINUTE:g}: {rate:.1f}", rate >= PAGES_PER_MINUTE))
    if clean and stock:
        times = clean.pages_per_minute / stock.pages_per_minute
        met.append((f"times stock EasyOCR, at least {TIMES_STOCK:g}: {times:.1f}", times >= TIMES_STOCK))
    for wear, allowed in BELOW_STOCK.items():
        ours, stock = found.get((OURS, wear)), found.get((STOCK, wear))
        if ours and stock:
            met += _scores(wear, ours, stock, allowed)
    for wear in ("mild", "heavy"):
        auto = found.get((AUTO, wear))
        means = auto.mean_scores() if auto else None
        if means:
            met.append((f"auto's recall, {wear}, at least {AUTO_RECALL}: {means[0]:.3f}", means[0] >= AUTO_RECALL))
    text = found.get((OURS, "text layer"))
    if text:
        rate = text.pages_per_minute
        line = f"pages with text a minute, at least {TEXT_PAGES_PER_MINUTE:g}: {rate:,.0f}"
        met.append((line, rate >= TEXT_PAGES_PER_MINUTE))
    peak = max((one.peak_mb for one in results if one.reader.startswith("Offload")), default=0)
    if peak:
        met.append((f"peak of a child, at most {CHILD_MB:,} MB: {peak:,}", peak <= CHILD_MB))
    return met


def _scores(wear: str, ours: Result, stock: Result, allowed: float) -> list[tuple[str, bool]]:
    pages = min(ours.pages, stock.pages)
    met: list[tuple[str, bool]] = []
    for name, mine, theirs in zip(
        ("recall", "precision"), ours.mean_scores(pages) or (), stock.mean_scores(pages) or (), strict=True
    ):
        line = f"{name}, {wear}, at most {100 * allowed:g} points below stock's {theirs:.3f}: {mine:.3f}"
        met.append((line, mine >= theirs - allowed))
    return met
