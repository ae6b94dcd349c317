"""Report of jobs: how many, how long they waited and ran, and why some failed."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.reports.counting import Durations, Sums
from tasks.reports.kind import Kind, Subject, Tones
from tasks.reports.pages import Bars, Block, Column, Figure, Table
from tasks.reports.words import as_moment, clean, duration, moment, number, share

ENDED = ("completed", "failed", "cancelled", "expired")


class Jobs(Kind):
    """Jobs by type, by state, by error and over time."""

    title = "Jobs"
    reads = {"jobs": "created_at"}

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.types, self.errors, self.states = Sums(), Sums(), Sums()
        self.waits, self.runs = Durations(), Durations()
        self.runs_of: dict[str, Durations] = defaultdict(Durations)
        self.jobs = 0

    def add(self, dataset: str, at: datetime, row: Mapping[str, Any]) -> None:
        """Count one job."""
        kind, state = str(row["type"]), str(row["status"])
        started, finished = as_moment(row["started_at"]), as_moment(row["finished_at"])
        self.jobs += 1
        self.types.add(kind, jobs=1, units=row["units"] or 0, retried=(row["attempt"] or 0) > 1, **{state: 1})
        self.states.add(state, jobs=1)
        self.at_step(state if state in ("completed", "failed") else "other", at)
        if started:
            self.waits.add(max(0.0, (started - at).total_seconds()))
        if started and finished:
            self.runs.add(max(0.0, (finished - started).total_seconds()))
            self.runs_of[kind].add(max(0.0, (finished - started).total_seconds()))
        if state == "failed":
            self.errors.add((kind, str(row["error"] or "no reason given")[:200]), jobs=1)
        ran = (finished - started).total_seconds() if started and finished else None
        self.newest.add(at, (at, row["job_id"], state, ran, row["error"]))

    def _in(self, state: str) -> int:
        return next((int(counts["jobs"]) for key, counts in self.states.ranked("jobs", 20) if key == state), 0)

    def figures(self) -> list[Figure]:
        """Jobs, their success and their times."""
        completed, failed = self._in("completed"), self._in("failed")
        ended = sum(self._in(state) for state in ENDED)
        return [
            Figure("Jobs", number(self.jobs), f"{number(ended)} have ended"),
            Figure(
                "Success", share(completed, completed + failed), f"{number(failed)} failed", "bad" if failed else "good"
            ),
            Figure("Wait", duration(self.waits.at(0.5)), f"95 % under {duration(self.waits.at(0.95))}", "calm"),
            Figure("Run", duration(self.runs.at(0.5)), f"95 % under {duration(self.runs.at(0.95))}", "calm"),
        ]

    def summary(self) -> str:
        """The most frequent type, and the most frequent error."""
        (kind, counts), *_ = self.types.ranked("jobs", 1)
        text = f"{kind} was the most frequent type, with {number(counts['jobs'])} jobs."
        if len(self.errors):
            ((failing, error), times), *_ = self.errors.ranked("jobs", 1)
            text += f" The most frequent error, {number(times['jobs'])} times, in {failing}: {clean(error, 160)}"
        return text

    def blocks(self) -> list[Block]:
        """Over time, by type, errors, and the jobs."""
        series: Tones = (("completed", "Completed", "good"), ("failed", "Failed", "bad"), ("other", "Other", "calm"))
        ranked = self.types.ranked("jobs", 12)
        found: list[Block] = [
            self.over_time(f"Jobs by the {self.period.step} they came", series, "jobs"),
            Bars(
                "Jobs by type",
                [clean(kind, 60) for kind, _ in ranked],
                [counts["jobs"] for _, counts in ranked],
                [number(counts["jobs"]) for _, counts in ranked],
                f"Jobs by type: {clean(ranked[0][0], 60)} comes first with {number(ranked[0][1]['jobs'])}.",
            ),
            self._types(),
        ]
        if len(self.errors):
            found.append(self._errors())
        return [*found, self._listing()]

    def _types(self) -> Table:
        heads = ("Jobs", "Completed", "Failed", "Retried", "Median run", "95 %")
        rows = []
        for kind, counts in self.types.ranked("jobs", 100):
            runs = self.runs_of.get(str(kind), Durations())
            counted = (number(counts[name]) for name in ("jobs", "completed", "failed", "retried"))
            rows.append([clean(kind), *counted, duration(runs.at(0.5)), duration(runs.at(0.95))])
        return Table("Types", [Column("Type", 1), *(Column(head, right=True) for head in heads)], rows)

    def _errors(self) -> Table:
        rows = [
            [
                clean(key[0] if isinstance(key, tuple) else key),
                clean(key[1] if isinstance(key, tuple) else ""),
                number(counts["jobs"]),
            ]
            for key, counts in self.errors.ranked("jobs", 50)
        ]
        return Table("Errors", [Column("Type", 1), Column("Error", 4), Column("Jobs", right=True)], rows)

    def _listing(self) -> Table:
        columns = [Column("Came"), Column("Job", 3), Column("Status"), Column("Run", right=True), Column("Error", 3)]
        rows = [
            [moment(at, self.period), clean(job_id), clean(state), duration(ran), clean(error or "", 200)]
            for at, job_id, state, ran, error in self.newest.rows()
        ]
        return self.listing("Job by job", Table("", columns, rows), "jobs")
