"""The queues and what bounds each. An operator overrides a field with OFFLOAD_QUEUES__<QUEUE_NAME>__<FIELD>, or adds a queue.

Packages of job types add queues too (`add_queue`).
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from settings.urls import own_server_url

Reach = Literal["nothing", "database", "network"]


class Queue(StrEnum):
    """A queue's name is also the name of its arq sorted set, so a plain arq client addresses it by the same word."""

    PDF_PROCESSING = "pdf-processing"
    EMAIL_SENDER = "email-sender"
    CSV_EXPORT = "csv-export"
    THUMBNAILS = "thumbnails"
    WEBHOOKS = "webhooks"
    MEDIA = "media"

    @property
    def worker_class(self) -> str:
        """Name of the queue's settings class in tasks/workers.py, such as PdfProcessing for pdf-processing."""
        return "".join(word.capitalize() for word in self.split("-"))


def _none_in_words(given: Any) -> Any:
    return None if isinstance(given, str) and given.lower() == "none" else given


class QueueSettings(BaseModel):
    """Bounds of one queue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retries: int = Field(ge=0, le=100)
    """Tries after the first. A crash spends one, a deploy does not."""

    timeout_s: Annotated[float | None, BeforeValidator(_none_in_words)] = Field(gt=0, le=86_400)
    """Seconds one attempt may take; None means as long as it needs."""

    jobs_at_once: int = Field(ge=1, le=1000)
    """Jobs one worker process runs side by side."""

    rate_per_minute: int = Field(default=0, ge=0, le=1_000_000)
    """Units (messages, for email) a minute over all workers together; 0 means unlimited."""

    memory_mb: int = Field(default=0, ge=0, le=1_048_576)
    """Ceiling of the child process that does a job's heavy part; 0 means none."""

    reach: Reach = Field(default="nothing", description="nothing, database or network")
    """Reach of the children and programs of its jobs beyond this machine: a hostile document must find no way out. Tasks
    themselves run in the worker, which is free."""

    keep_days: float = Field(default=7, gt=0, le=3650)
    """Days a completed or cancelled job is kept, with its files: a week, so that Monday can look at Tuesday's."""

    keep_jobs: int = Field(default=100_000, ge=0, le=10_000_000)
    """Completed and cancelled jobs kept at most: at about 1.5 KB each, 150 MB of Redis a queue."""

    owner_limit: int = Field(default=10_000, ge=1)
    """Waiting jobs one owner may have here before the API answers 429: bounds Redis, not honest use."""

    redis_url: Annotated[str, AfterValidator(own_server_url)] | None = Field(
        default=None,
        repr=False,
        description="redis://[user:password@]host:port/db, rediss://…, unix:///path or redis+sentinel://host:port,…/service/db",
        json_schema_extra={"secret": True},
    )
    """Server of the queue's own (docs/scaling.md); None means that of all others, OFFLOAD_REDIS_URL."""


QUEUE_TABLE: dict[Queue, QueueSettings] = {
    # Two jobs a worker: OCR keeps a core busy each, and the reference machine has two.
    Queue.PDF_PROCESSING: QueueSettings(retries=2, timeout_s=600, jobs_at_once=2),
    # A campaign has no honest time limit: 12,000 messages at 100 a minute take two hours.
    # The child renders templates, which are other people's programs: one that fills the memory is killed.
    Queue.EMAIL_SENDER: QueueSettings(retries=3, timeout_s=None, jobs_at_once=5, rate_per_minute=100, memory_mb=512),
    # One at a time, so that 256 MB an export is also 256 MB a worker. Its child reads the rows from the database.
    Queue.CSV_EXPORT: QueueSettings(retries=1, timeout_s=300, jobs_at_once=1, memory_mb=256, reach="database"),
    # Four documents overlap reading, rendering and writing; the pool bounds the CPU.
    Queue.THUMBNAILS: QueueSettings(retries=2, timeout_s=60, jobs_at_once=4),
    # A delivery waits for a server outside, 15 seconds at most: twenty at once are a worker that hardly works.
    # Tries of a receiver that is away are the delivery's own matter (service/webhooks/deliveries.py).
    Queue.WEBHOOKS: QueueSettings(retries=5, timeout_s=60, jobs_at_once=20, keep_jobs=10_000),
    # One encoder a worker, which keeps two cores busy; a part of an hour of 4K takes most of two hours on them.
    Queue.MEDIA: QueueSettings(retries=2, timeout_s=7200, jobs_at_once=1, memory_mb=4096),
}


NEW_QUEUE = {"retries": 2, "timeout_s": 600, "jobs_at_once": 1}
"""Bounds of an added queue that says nothing else: those of work that a person waits for, one job at a time."""

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAME_MAX = 40

OURS = tuple(Queue)
"""The queues that are not added."""

NAMED: set[str] = set()
"""Queues that the environment has added."""

LIKE = 0.8
"""Likeness from which a new queue's name in a variable is taken for a typing error."""


def add_queue(name: str, **bounds: Any) -> Queue:
    """A queue besides those above, with the bounds of QueueSettings that it names. Raises ValueError for a bad or taken name."""
    if not NAME.fullmatch(name) or len(name) > NAME_MAX:
        raise ValueError(
            f"the queue {name[:80]!r} has a bad name: small letters, digits and dashes, {NAME_MAX} at most"
        )
    if name in list(Queue):
        raise ValueError(f"the queue {name} is taken")
    try:
        settings = QueueSettings(**{**NEW_QUEUE, **bounds})
    except ValidationError as error:
        problem = error.errors()[0]
        raise ValueError(f"the queue {name} has a bad {problem['loc'][0]}: {problem['msg']}") from None
    member = _member(name)
    QUEUE_TABLE[member] = settings
    return member


def _member(name: str) -> Queue:
    """A new member of the enumeration, which is closed for all but those who declare a queue."""
    member = str.__new__(Queue, name)
    member._name_, member._value_ = name.upper().replace("-", "_"), name
    Queue._member_map_[member._name_] = member
    Queue._member_names_.append(member._name_)
    Queue._value2member_map_[name] = member
    return member


def remove_queue(name: str) -> None:
    """Take back `add_queue`: for a package that turns out broken."""
    member = Queue(name)
    del QUEUE_TABLE[member], Queue._member_map_[member._name_], Queue._value2member_map_[name]
    Queue._member_names_.remove(member._name_)


def add_named_queues(prefix: str, environment: Mapping[str, str]) -> None:
    """Add each queue that does not exist and whose JOBS_AT_ONCE the environment sets: <prefix>QUEUES__<NAME>__JOBS_AT_ONCE.

    A name much like an existing one is left out: it is a typing error, and is refused as one.
    """
    for variable, value in sorted(environment.items()):
        found = re.fullmatch(rf"{prefix}QUEUES__([A-Z0-9_]+?)__JOBS_AT_ONCE", variable.upper())
        name = found.group(1).lower().replace("_", "-") if found and value else ""
        known = [str(queue) for queue in Queue]
        if name and name not in known and NAME.fullmatch(name) and not get_close_matches(name, known, 1, LIKE):
            add_queue(name)
            NAMED.add(name)


def refuse_unbounded_queues() -> None:
    """Raise SystemExit with a sentence for each queue without bounds: its jobs would wait and no worker could serve it."""
    if lacking := [queue for queue in Queue if queue not in QUEUE_TABLE]:
        raise SystemExit(
            "\n".join(
                f"settings/queues.py: the queue {queue} has no row in QUEUE_TABLE, so there is no worker class "
                f"{queue.worker_class} for it."
                for queue in lacking
            )
        )


def merged(overrides: Mapping[str, QueueSettings | Mapping[str, Any]]) -> dict[Queue, Any]:
    """The table with the overridden fields of {queue name: {field: value}} put over it, still to be validated.

    Names may be written as in a variable (`email_sender`) or as the queue is called. An unknown one raises ValueError.
    """
    table: dict[Queue, Any] = dict(QUEUE_TABLE)
    for name, fields in overrides.items():
        queue = Queue(name.lower().replace("_", "-"))
        if isinstance(fields, QueueSettings):
            table[queue] = fields
        else:
            table[queue] = QUEUE_TABLE[queue].model_dump() | {field.lower(): value for field, value in fields.items()}
    return table
