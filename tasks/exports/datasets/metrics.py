"""Events on each queue in each minute of the last two days; minutes in which nothing did are left out."""

from settings.queues import Queue
from tasks.exports.columns import Column, Kind
from tasks.exports.dataset import Dataset, Keeper, Readers
from tasks.exports.filters import Between, Match

DATASET = Dataset(
    name="metrics",
    title="Metrics",
    table="metrics",
    columns=(
        Column("minute", Kind.MOMENT),
        Column("queue"),
        Column("enqueued", Kind.INTEGER),
        Column("started", Kind.INTEGER),
        Column("completed", Kind.INTEGER),
        Column("failed", Kind.INTEGER),
        Column("cancelled", Kind.INTEGER),
        Column("retried", Kind.INTEGER),
        Column("requeued", Kind.INTEGER),
        Column("crashed", Kind.INTEGER),
        Column("run_ms", Kind.INTEGER),
    ),
    filters={
        "minute": Between("minute"),
        "queue": Match("queue", choices=tuple(Queue)),
    },
    order=("minute", "queue"),
    # Counts of the whole installation without personal data, as /metrics also shows.
    readers=Readers.EVERY_KEY,
    keeper=Keeper.QUEUE,
)
