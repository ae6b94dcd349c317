"""Events of each job type in each hour of the last five weeks; hours in which nothing did are left out."""

from settings.queues import Queue
from tasks.exports.columns import Column, Kind
from tasks.exports.dataset import Dataset, Keeper, Readers
from tasks.exports.filters import Between, Match

DATASET = Dataset(
    name="metrics-hourly",
    title="Metrics by the hour",
    table="metrics_hourly",
    columns=(
        Column("hour", Kind.MOMENT),
        Column("queue"),
        Column("type"),
        Column("enqueued", Kind.INTEGER),
        Column("started", Kind.INTEGER),
        Column("completed", Kind.INTEGER),
        Column("failed", Kind.INTEGER),
        Column("cancelled", Kind.INTEGER),
        Column("retried", Kind.INTEGER),
        Column("crashed", Kind.INTEGER),
        Column("timeout", Kind.INTEGER),
        Column("units", Kind.INTEGER),
        Column("wait_p50_ms", Kind.INTEGER),
        Column("wait_p95_ms", Kind.INTEGER),
        Column("wait_p99_ms", Kind.INTEGER),
        Column("run_p50_ms", Kind.INTEGER),
        Column("run_p95_ms", Kind.INTEGER),
        Column("run_p99_ms", Kind.INTEGER),
    ),
    filters={
        "hour": Between("hour"),
        "queue": Match("queue", choices=tuple(Queue)),
        "type": Match("type"),
    },
    order=("hour", "queue", "type"),
    # Counts of the whole installation without personal data, as /metrics also shows.
    readers=Readers.EVERY_KEY,
    keeper=Keeper.QUEUE,
)
