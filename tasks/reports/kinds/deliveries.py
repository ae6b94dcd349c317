"""Report of mail: what was sent to whom, and what came back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.reports.counting import Sums
from tasks.reports.kind import Kind, Subject, Tones
from tasks.reports.pages import Bars, Block, Column, Figure, Table
from tasks.reports.words import clean, moment, number, share

REFUSED = ("bounced", "failed")


class Deliveries(Kind):
    """Messages by campaign, by result, by the domains that refuse, and over time."""

    title = "Deliveries"
    reads = {"deliveries": "changed_at"}

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.campaigns, self.states, self.domains = Sums(), Sums(), Sums()
        self.messages = 0

    def add(self, dataset: str, at: datetime, row: Mapping[str, Any]) -> None:
        """Count one message."""
        state, address = str(row["status"]), str(row["email"] or "")
        self.messages += 1
        self.states.add(state, messages=1)
        self.campaigns.add((row["campaign_id"], row["campaign"]), messages=1, **{state: 1})
        self.domains.add(address.rpartition("@")[2].lower() or "none", messages=1, refused=state in REFUSED)
        self.at_step(state if state in ("sent", "bounced", "failed") else "other", at)
        self.newest.add(at, (at, address, row["campaign"], state, row["smtp_text"]))

    def _in(self, state: str) -> int:
        return next((int(counts["messages"]) for key, counts in self.states.ranked("messages", 20) if key == state), 0)

    def figures(self) -> list[Figure]:
        """Messages and their results."""
        sent, refused = self._in("sent"), sum(self._in(state) for state in REFUSED)
        left_out = self._in("suppressed") + self._in("skipped")
        return [
            Figure("Messages", number(self.messages), f"in {number(len(self.campaigns))} campaigns and reports"),
            Figure("Sent", number(sent), share(sent, sent + refused) + " of those tried", "good"),
            Figure("Refused", number(refused), "bounced or failed", "bad" if refused else "good"),
            Figure("Left out", number(left_out), "unsubscribed or no address", "calm"),
        ]

    def summary(self) -> str:
        """The largest campaign, and the domain that refused most."""
        (key, counts), *_ = self.campaigns.ranked("messages", 1)
        text = f"The largest campaign was {_name(key)}, with {number(counts['messages'])} messages."
        (domain, refused), *_ = self.domains.ranked("refused", 1)
        if refused["refused"]:
            text += f" Most refusals came from {clean(domain, 80)}: {number(refused['refused'])}."
        return text

    def blocks(self) -> list[Block]:
        """Over time, campaigns, refusing domains, and the messages."""
        series: Tones = (
            ("sent", "Sent", "good"),
            ("bounced", "Bounced", "bad"),
            ("failed", "Failed", "warn"),
            ("other", "Other", "calm"),
        )
        ranked = self.campaigns.ranked("messages", 12)
        return [
            self.over_time(f"Messages by the {self.period.step}", series, "messages"),
            Bars(
                "Messages by campaign",
                [_name(key, 60) for key, _ in ranked],
                [counts["messages"] for _, counts in ranked],
                [number(counts["messages"]) for _, counts in ranked],
                f"Messages by campaign: {_name(ranked[0][0], 60)} comes first with {number(ranked[0][1]['messages'])}.",
            ),
            self._campaigns(),
            self._domains(),
            self._listing(),
        ]

    def _campaigns(self) -> Table:
        names = ("messages", "sent", "bounced", "failed", "suppressed", "skipped")
        rows = [
            [_name(key), *(number(counts[name]) for name in names)]
            for key, counts in self.campaigns.ranked("messages", 100)
        ]
        return Table(
            "Campaigns", [Column("Campaign", 1), *(Column(name.capitalize(), right=True) for name in names)], rows
        )

    def _domains(self) -> Table:
        rows = [
            [
                clean(domain),
                number(counts["messages"]),
                number(counts["refused"]),
                share(counts["refused"], counts["messages"]),
            ]
            for domain, counts in self.domains.ranked("messages", 50)
        ]
        heads = ("Messages", "Refused", "Share")
        return Table("Domains", [Column("Domain", 1), *(Column(head, right=True) for head in heads)], rows)

    def _listing(self) -> Table:
        columns = [Column("Time"), Column("Address", 3), Column("Campaign", 2), Column("Result"), Column("Reply", 4)]
        rows = [
            [moment(at, self.period), clean(address, 254), clean(name, 120), clean(state), clean(reply or "", 200)]
            for at, address, name, state, reply in self.newest.rows()
        ]
        return self.listing("Message by message", Table("", columns, rows), "deliveries")


def _name(key: Any, longest: int = 120) -> str:
    return clean((key[1] or key[0]) if isinstance(key, tuple) else key, longest)
