"""Tables of the OCR bench."""

from collections.abc import Sequence

from rich.table import Table

from bench.reading.calibration import SURE, WRONG, calibration
from bench.reading.result import Result


def readers(results: Sequence[Result], title: str) -> Table:
    """A row per reader and document."""
    columns = ("reader", "document", "pages", "pages/min", "CPU s/page", "first s", "peak MB", "recall", "precision")
    table = Table(*columns, title=title)
    for one in results:
        cpu = "–" if one.cpu_s is None else f"{one.cpu_s:.2f}"
        figures = f"{one.pages_per_minute:,.1f}", cpu, f"{one.first_s:.1f}", f"{one.peak_mb:,}"
        means = one.mean_scores()
        scores = [f"{mean:.3f}" for mean in means] if means else ["–", "–"]
        table.add_row(one.reader, one.document, str(one.pages), *figures, *scores)
    return table


def stages(results: Sequence[Result]) -> Table:
    """CPU seconds a page by stage, a row per engine and document."""
    timed = [one for one in results if one.stages]
    names = list(dict.fromkeys(stage for one in timed for stage in one.stages))
    table = Table("engine", "document", *names, title="CPU seconds a page, by stage")
    for one in timed:
        table.add_row(one.reader, one.document, *(f"{one.stages.get(name, 0.0):.2f}" for name in names))
    return table


def calibrated(results: Sequence[Result]) -> Table:
    """Confidence held against recall, a row per engine and bin."""
    columns = (
        "engine",
        "confidence from",
        "pages",
        "mean recall",
        f"recall {SURE} or more",
        f"under {WRONG}",
        "doubtful",
    )
    table = Table(*columns, title="Confidence against recall")
    for engine, bins in calibration(results).items():
        for bin in bins:
            if bin.pages:
                shares = f"{bin.recall / bin.pages:.3f}", f"{bin.right / bin.pages:.0%}"
                table.add_row(engine, f"{bin.lowest:.2f}", str(bin.pages), *shares, str(bin.wrong), str(bin.doubtful))
    return table
