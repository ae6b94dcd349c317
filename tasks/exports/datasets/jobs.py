"""Jobs, without their payloads, which may name people."""

from settings.queues import Queue
from tasks.exports.columns import Column, Kind
from tasks.exports.dataset import Dataset, Keeper, Readers
from tasks.exports.filters import Between, Match, Search

DATASET = Dataset(
    name="jobs",
    title="Jobs",
    table="jobs",
    columns=(
        Column("job_id", width=36),
        Column("type"),
        Column("queue"),
        Column("owner"),
        Column("status"),
        Column("priority"),
        Column("created_at", Kind.MOMENT),
        Column("started_at", Kind.MOMENT),
        Column("finished_at", Kind.MOMENT),
        Column("progress", Kind.INTEGER),
        Column("attempt", Kind.INTEGER),
        Column("units", Kind.INTEGER),
        Column("worker", width=30),
        Column("error", width=48),
    ),
    filters={
        "created_at": Between("created_at"),
        "finished_at": Between("finished_at"),
        "type": Match("type"),
        "queue": Match("queue", choices=tuple(Queue)),
        "status": Match(
            "status",
            choices=("queued", "scheduled", "active", "retrying", "completed", "failed", "cancelled", "expired"),
        ),
        "priority": Match("priority", choices=("high", "normal", "low")),
        "attempt": Between("attempt", Kind.INTEGER),
        "search": Search(("job_id", "error")),
    },
    order=("created_at", "job_id"),
    readers=Readers.OWNER,
    owner="owner",
    keeper=Keeper.QUEUE,
)
