"""Report of use: work by job type, and files kept, for each owner that the reader may see."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.reports.counting import Sums
from tasks.reports.kind import Kind, Subject, Tones
from tasks.reports.pages import Bars, Block, Column, Figure, Table
from tasks.reports.words import as_moment, clean, duration, moment, number, size


class Usage(Kind):
    """Jobs with their units of work, and files with their bytes."""

    title = "Usage"
    reads = {"jobs": "created_at", "documents": "created_at"}

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.types, self.media, self.owners = Sums(), Sums(), Sums()
        self.jobs = self.files = self.bytes = self.pages = 0
        self.seconds = 0.0

    def add(self, dataset: str, at: datetime, row: Mapping[str, Any]) -> None:
        """Count one job or one file."""
        if dataset == "documents":
            self._file(at, row)
            return
        started, finished = as_moment(row["started_at"]), as_moment(row["finished_at"])
        ran = max(0.0, (finished - started).total_seconds()) if started and finished else 0.0
        units = int(row["units"] or 0) if row["status"] == "completed" else 0
        self.jobs += 1
        self.seconds += ran
        if self.subject.units.get(row["type"]) == "page":
            self.pages += units
        self.types.add(row["type"], jobs=1, units=units, seconds=ran)
        self.owners.add(row["owner"], jobs=1, seconds=ran)
        self.at_step("jobs", at)

    def _file(self, at: datetime, row: Mapping[str, Any]) -> None:
        stored = int(row["bytes"] or 0)
        self.files += 1
        self.bytes += stored
        self.media.add(row["media_type"], files=1, bytes=stored, pages=row["pages"] or 0)
        self.owners.add(row["owner"], files=1, bytes=stored)
        self.at_step("files", at)
        self.newest.add(at, (at, row["name"], row["media_type"], row["pages"], stored))

    def figures(self) -> list[Figure]:
        """Jobs, pages, time of work, and bytes."""
        return [
            Figure("Jobs", number(self.jobs), f"{duration(self.seconds)} of work"),
            Figure("Pages read", number(self.pages), "in completed jobs", "good"),
            Figure("Files", number(self.files), "uploaded in this time", "calm"),
            Figure("Stored", size(self.bytes), "by those files", "calm"),
        ]

    def summary(self) -> str:
        """The type that took the most time."""
        if not self.jobs:
            return f"No jobs in this time; {number(self.files)} files were uploaded."
        (kind, counts), *_ = self.types.ranked("seconds", 1)
        return f"{kind} took the most time: {duration(counts['seconds'])} in {number(counts['jobs'])} jobs."

    def blocks(self) -> list[Block]:
        """Over time, by type, by owner, files."""
        series: Tones = (("jobs", "Jobs", "accent"), ("files", "Files", "calm"))
        found: list[Block] = [self.over_time(f"Jobs and files by the {self.period.step}", series, "jobs and files")]
        if self.jobs:
            found += [self._time(), self._types()]
        if self.subject.owner is None:
            found.append(self._owners())
        if self.files:
            found += [self._media(), self._listing()]
        return found

    def _time(self) -> Bars:
        ranked = self.types.ranked("seconds", 12)
        words = f"Time of work by type: {clean(ranked[0][0], 60)} comes first with {duration(ranked[0][1]['seconds'])}."
        return Bars(
            "Time of work by type",
            [clean(kind, 60) for kind, _ in ranked],
            [counts["seconds"] for _, counts in ranked],
            [duration(counts["seconds"]) for _, counts in ranked],
            words,
        )

    def _types(self) -> Table:
        rows = []
        for kind, counts in self.types.ranked("jobs", 100):
            unit = self.subject.units.get(str(kind), "unit")
            work = f"{number(counts['units'])} {unit}{'' if counts['units'] == 1 else 's'}" if counts["units"] else "–"
            rows.append([clean(kind), number(counts["jobs"]), work, duration(counts["seconds"])])
        heads = (
            Column("Type", 1),
            Column("Jobs", right=True),
            Column("Completed work", right=True),
            Column("Time", right=True),
        )
        return Table("Work by type", heads, rows)

    def _owners(self) -> Table:
        rows = [
            [clean(owner), number(one["jobs"]), duration(one["seconds"]), number(one["files"]), size(one["bytes"])]
            for owner, one in self.owners.ranked("seconds", 200)
        ]
        heads = ("Jobs", "Time", "Files", "Stored")
        return Table("Owners", [Column("Owner", 1), *(Column(head, right=True) for head in heads)], rows)

    def _media(self) -> Table:
        rows = [
            [clean(kind), number(one["files"]), number(one["pages"]), size(one["bytes"])]
            for kind, one in self.media.ranked("bytes", 50)
        ]
        heads = ("Files", "Pages", "Stored")
        return Table("Files by type", [Column("Type", 1), *(Column(head, right=True) for head in heads)], rows)

    def _listing(self) -> Table:
        columns = [
            Column("Uploaded"),
            Column("Name", 3),
            Column("Type", 1),
            Column("Pages", right=True),
            Column("Size", right=True),
        ]
        rows = [
            [moment(at, self.period), clean(name, 255), clean(kind), number(pages) if pages else "–", size(stored)]
            for at, name, kind, pages, stored in self.newest.rows()
        ]
        return self.listing("Files", Table("", columns, rows), "documents")
