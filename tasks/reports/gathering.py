"""Work of the child process, first half: rows of the snapshots in, a document out, in memory that the rows do not grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tasks.exports.progress_file import Tally
from tasks.exports.reading import read
from tasks.exports.source import Query, Source
from tasks.reports.kind import Kind, Subject
from tasks.reports.kinds import KINDS
from tasks.reports.pages import Document, Figure, Remark
from tasks.reports.words import clean


@dataclass(frozen=True)
class Rows:
    """Rows of one dataset, and the names of their columns."""

    dataset: str
    source: Source
    query: Query
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Gather:
    """Everything that the child needs to know. `notes` are sentences for the end of the report."""

    report: str
    subject: Subject
    rows: Sequence[Rows]
    target: Path
    tally: Path
    notes: Sequence[str] = ()


def gather(request: Gather) -> int:
    """Count the rows and write the document of the report to `target` as JSON. Returns the number of rows."""
    kind = KINDS[request.report](request.subject)
    counted = sum(_count(kind, rows, request.tally) for rows in request.rows)
    request.target.write_bytes(msgspec.json.encode(_document(kind, request, counted)))
    return counted


def _count(kind: Kind, rows: Rows, tally_path: Path) -> int:
    with read(rows.source, rows.query) as (total, chunks):
        tally = Tally(tally_path, total)
        try:
            for chunk in chunks:
                for row in chunk:
                    kind.count(rows.dataset, dict(zip(rows.columns, row, strict=True)))
                tally.add(len(chunk))
        finally:
            tally.close()
        return total


def _document(kind: Kind, request: Gather, counted: int) -> Document:
    subject = request.subject
    period = subject.period
    notes = [Remark(note) for note in request.notes]
    made = period.local(datetime.now(UTC))
    figures: list[Figure] = kind.figures() if counted else []
    return Document(
        title=f"{kind.title} report",
        subtitle=clean(subject.owner, 120) if subject.owner else "All owners",
        period=period.words,
        zone=period.zone,
        whose=clean(subject.owner, 120) if subject.owner else "all owners",
        made=f"{made.day} {made:%B %Y, %H:%M}",
        summary=kind.summary() if counted else "There is nothing to report: no row falls into this range.",
        figures=figures,
        blocks=[*(kind.blocks() if counted else []), *notes],
        rows=counted,
    )
