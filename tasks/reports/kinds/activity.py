"""Report of the audit log: who did what, and what was refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.reports.counting import Sums
from tasks.reports.kind import Kind, Subject, Tones
from tasks.reports.pages import Bars, Block, Column, Figure, Table
from tasks.reports.words import as_moment, clean, moment, number, share

SHOWN = 12


class Activity(Kind):
    """Events by action, by actor and over time."""

    title = "Activity"
    reads = {"events": "created_at"}

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.actions, self.actors, self.outcomes = Sums(), Sums(), {"done": 0, "refused": 0, "failed": 0}
        self.events = 0

    def add(self, dataset: str, at: datetime, row: Mapping[str, Any]) -> None:
        """Count one event."""
        outcome = str(row["outcome"])
        self.events += 1
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.actions.add(row["action"], events=1, **{outcome: 1})
        self.actors.add(row["actor"], events=1, **{outcome: 1})
        self.at_step(outcome, at)
        self.newest.add(
            at, (row["created_at"], row["actor"], row["action"], row["target_type"], row["target_id"], outcome)
        )

    def figures(self) -> list[Figure]:
        """Events, the people behind them, and what did not succeed."""
        refused, failed = self.outcomes["refused"], self.outcomes["failed"]
        return [
            Figure("Events", number(self.events)),
            Figure("Actors", number(len(self.actors)), "people, keys and schedules", "calm"),
            Figure("Refused", number(refused), share(refused, self.events) + " of all", "warn" if refused else "good"),
            Figure("Failed", number(failed), share(failed, self.events) + " of all", "bad" if failed else "good"),
        ]

    def summary(self) -> str:
        """The most frequent action and the most active actor."""
        (action, counts), *_ = self.actions.ranked("events", 1)
        (actor, acted), *_ = self.actors.ranked("events", 1)
        return (
            f"{clean(action)} was the most frequent action, with {number(counts['events'])} events; "
            f"{clean(actor, 80)} was the most active, with {number(acted['events'])}."
        )

    def blocks(self) -> list[Block]:
        """Over time, by action, by actor, and the log."""
        ranked = self.actions.ranked("events", SHOWN)
        series: Tones = (("done", "Done", "accent"), ("refused", "Refused", "warn"), ("failed", "Failed", "bad"))
        return [
            self.over_time(f"Events by the {self.period.step}", series, "events"),
            Bars(
                "Events by action",
                [clean(action, 60) for action, _ in ranked],
                [counts["events"] for _, counts in ranked],
                [number(counts["events"]) for _, counts in ranked],
                f"Events by action: {clean(ranked[0][0], 60)} comes first with {number(ranked[0][1]['events'])}.",
            ),
            self._table("Actions", "Action", self.actions),
            self._table("Actors", "Actor", self.actors),
            self._log(),
        ]

    def _table(self, title: str, head: str, sums: Sums) -> Table:
        columns = [Column(head, 1), *(Column(name, right=True) for name in ("Events", "Done", "Refused", "Failed"))]
        rows = [
            [clean(key), *(number(counts[name]) for name in ("events", "done", "refused", "failed"))]
            for key, counts in sums.ranked("events", 100)
        ]
        return Table(title, columns, rows)

    def _log(self) -> Table:
        columns = [Column("Time"), Column("Actor", 2), Column("Action", 2), Column("Target", 3), Column("Outcome")]
        rows = [
            [
                moment(as_moment(at), self.period),
                clean(actor, 120),
                clean(action),
                clean(f"{kind} {target}", 120),
                clean(outcome),
            ]
            for at, actor, action, kind, target, outcome in self.newest.rows()
        ]
        return self.listing("Log", Table("", columns, rows), "events")
