"""The audit log."""

from tasks.exports.columns import Column, Kind
from tasks.exports.dataset import Dataset, Readers
from tasks.exports.filters import Between, Match, Search

DATASET = Dataset(
    name="events",
    title="Events",
    table="events",
    columns=(
        Column("event_id", width=40),
        Column("created_at", Kind.MOMENT),
        Column("owner"),
        Column("actor", width=28),
        Column("role"),
        Column("action"),
        Column("target_type"),
        Column("target_id", width=32),
        Column("outcome"),
        Column("address", personal=True),
        Column("took_ms", Kind.NUMBER),
        Column("detail", width=48),
    ),
    filters={
        "created_at": Between("created_at"),
        "actor": Match("actor"),
        "role": Match("role"),
        "action": Match("action"),
        "target_type": Match("target_type"),
        "target_id": Match("target_id"),
        "outcome": Match("outcome", choices=("done", "refused", "failed")),
        "took_ms": Between("took_ms", Kind.NUMBER),
        "search": Search(("actor", "action", "target_id", "detail")),
    },
    order=("created_at", "event_id"),
    readers=Readers.OWNER,
    owner="owner",
)
