"""Every key of the job store, and when it is removed. The Lua scripts build the same names.

Waiting and running jobs are also members of the sorted set that bears the queue's own name, and have an `arq:job:` and
(while running) an `arq:in-progress:` key, so that arq's `Job.status()` and `arq --check` tell the truth about them.
"""

PREFIX = "offload:"

CLOCK = PREFIX + "clock"
"""The last creation stamp given out (µs since the epoch, unique). One key, never removed."""

REPLICATED = PREFIX + "replicated"
"""String: a write that replicas confirm after those before it. Expires."""

WORKERS = PREFIX + "workers"
"""Sorted set: worker id by its last heartbeat (ms). Swept by every heartbeat."""

WORKERS_STOPPED = PREFIX + "workers-stopped"
"""Hash: workers that stopped in order, and when (ms). An entry goes once the maintenance leader has seen it; 1,000 at most."""


def job(job_id: str) -> str:
    """Hash: the record. Goes with the job (retention or delete)."""
    return f"{PREFIX}job:{job_id}"


def arq_job(job_id: str) -> str:
    """String: the entry that arq itself looks for while the job waits or runs. Goes when the job ends, or with it."""
    return f"arq:job:{job_id}"


def attempts(job_id: str) -> str:
    """List: one JSON object an ended attempt, oldest first. Goes with the job."""
    return f"{PREFIX}attempts:{job_id}"


def log(job_id: str) -> str:
    """List: the last 200 lines that the job's task logged, as JSON, oldest first. Goes with the job."""
    return f"{PREFIX}log:{job_id}"


def checkpoint(job_id: str) -> str:
    """Hash: what finished work a retry need not repeat. Goes with the job."""
    return f"{PREFIX}checkpoint:{job_id}"


def parts(job_id: str) -> str:
    """List: the ids of a job's parts, in order. Goes with the job."""
    return f"{PREFIX}parts:{job_id}"


def events(job_id: str) -> str:
    """Hash: of each event that came for a job `event:NAME` its body as JSON and `by:NAME` who sent it and when, and of those
    that it asked for `due:NAME`, until when it waits (ms). Goes with the job."""
    return f"{PREFIX}events:{job_id}"


def by_type(job_type: str, state: str) -> str:
    """Sorted set: job ids of a type in a state by creation stamp. An entry goes with its job."""
    return f"{PREFIX}type:{job_type}:{state}"


def by_owner(owner: str, state: str) -> str:
    """Sorted set: job ids of an owner in a state by creation stamp. An entry goes with its job."""
    return f"{PREFIX}owner:{owner}:{state}"


def found_by(key: str, value: str) -> str:
    """Sorted set: job ids that carry a declared search key's value. An entry goes with its job."""
    return f"{PREFIX}find:{key}:{value}"


def types(queue: str) -> str:
    """Set: the job types ever seen on a queue. As many as there are declared types."""
    return f"{PREFIX}types:{queue}"


def running(queue: str) -> str:
    """Hash: job id to fencing token of every lease on the queue. An entry ends with its attempt."""
    return f"{PREFIX}running:{queue}"


def fair(queue: str) -> str:
    """Sorted set: flow (an owner, or a job with parts) by the virtual time its next job starts at. Swept by the claim."""
    return f"{PREFIX}fair:{queue}"


def queue(name: str) -> str:
    """Hash: a queue's virtual clock, backlog estimate, pause and limits. One for each queue."""
    return f"{PREFIX}queue:{name}"


def permits(queue: str) -> str:
    """String: when the next message may go (µs since the epoch), where a queue's tasks keep a rate. Expires with it."""
    return f"{PREFIX}rate:{queue}"


def finished(queue: str) -> str:
    """Sorted set: completed and cancelled ids by when they ended (ms). Swept by retention."""
    return f"{PREFIX}finished:{queue}"


def pace(job_type: str) -> str:
    """Hash: measured milliseconds a job and a unit, exponentially weighted. One a type."""
    return f"{PREFIX}pace:{job_type}"


def memory(job_type: str) -> str:
    """Hash: of each function that a type calls in the pool what it took at most (pool/peak_memory.py), as JSON. One a type."""
    return f"{PREFIX}memory:{job_type}"


def metrics(queue: str, minute: int) -> str:
    """Hash: counts of one minute, `event|job type`, or `event/job type` for parts; w… and r… are buckets of wait and run
    time. Expires after two days."""
    return f"{PREFIX}minute:{queue}:{minute}"


def metrics_hour(queue: str, hour: int) -> str:
    """Hash: the minutes of an hour added up. Expires five weeks after its last minute."""
    return f"{PREFIX}hour:{queue}:{hour}"


def metrics_day(queue: str, day: int) -> str:
    """Hash: the minutes of a day (UTC) added up. Expires 400 days after its last minute."""
    return f"{PREFIX}day:{queue}:{day}"


def metrics_total(queue: str) -> str:
    """Hash: all minutes through the one named in `through` added up, for counters that only rise. One a queue."""
    return f"{PREFIX}total:{queue}"


def idempotency(owner: str, key: str) -> str:
    """String: fingerprint and job id of a request. Expires after a day."""
    return f"{PREFIX}idempotency:{owner}:{key}"


def worker(worker_id: str) -> str:
    """String: a worker's last report as JSON. Expires unless renewed."""
    return f"{PREFIX}worker:{worker_id}"


def idle(queue: str) -> str:
    """Hash: worker id to its offer, of workers that found less than they want: until when it holds (ms), its leases' length
    (ms), its free slots, and the types that it knows, with a blank after each. Expires after their last poll."""
    return f"{PREFIX}idle:{queue}"


ERRORS = PREFIX + "errors"
"""Sorted set: error fingerprints by when they were last seen (ms). Swept by the maintenance leader when old and empty."""

EXPIRING = PREFIX + "expiring"
"""Sorted set: jobs that must begin in time by their `not_after` (ms). An entry goes when its time has come (expire.lua)."""


def deadlines(queue: str, priority: str, owner: str) -> str:
    """Sorted set: an owner's waiting jobs with a deadline by it (ms). Expires a month after the last; without the priority
    and the owner a string that says that the queue has some."""
    return f"{PREFIX}deadlines:{queue}:{priority}:{owner}"


def unique(owner: str, job_type: str, key: str) -> str:
    """String: the job that stands for all requests of a key. Expires with the key's time."""
    return f"{PREFIX}unique:{owner}:{job_type}:{key}"


def debounce(owner: str, job_type: str, key: str) -> str:
    """String: the job that later requests of a key put off. Expires after its last moment to begin."""
    return f"{PREFIX}debounce:{owner}:{job_type}:{key}"


def merged(kind: str, owner: str, job_type: str, key: str) -> str:
    """String: the last job of a key of `throttle`, `replace` or `rerun`; of a throttle also when the next may begin (ms).
    Expires a month after the last request, or when the throttle's time is over."""
    return f"{PREFIX}{kind}:{owner}:{job_type}:{key}"


def workflow(workflow_id: str) -> str:
    """Hash: owner, policy and jobs of a workflow. Goes with the last of its jobs (`left` counts those that are kept)."""
    return f"{PREFIX}workflow:{workflow_id}"


def held(limit_key: str) -> str:
    """Set: active jobs of a key of their limits. An entry goes as its job is active no more."""
    return f"{PREFIX}held:{limit_key}"


def parked(limit_key: str) -> str:
    """Sorted set: queued jobs that wait for a key, by their place in the fair order. An entry goes as its job may begin."""
    return f"{PREFIX}parked:{limit_key}"


def starts(limit_key: str) -> str:
    """List: when the last jobs of a key began (ms), as many as its rate allows in a period. Expires a period after the last."""
    return f"{PREFIX}starts:{limit_key}"


def blocked(queue: str) -> str:
    """Sorted set: keys that jobs wait for, by when they were last looked at (ms). An entry goes with the last of these jobs."""
    return f"{PREFIX}blocked:{queue}"


def onward(queue: str) -> str:
    """List: jobs of a queue of another server that follow jobs of this one, as JSON, oldest first. An entry goes once its job
    is queued there."""
    return f"{PREFIX}onward:{queue}"


ENCRYPTION_KEYS = PREFIX + "encryption-keys"
"""Set: ids of the keys that records may be encrypted with. An id goes as `offload rewrap` has written all under another."""

BREAKER_EVENTS = PREFIX + "breaker-events"
"""List: breakers that were opened or closed, as JSON, oldest first, until they stand in the audit log; 1,000 at most."""


def failing(queue: str) -> str:
    """Set: jobs of a queue that failed in a row with one error, none having completed in between. Goes as one completes, or
    as its breaker opens."""
    return f"{PREFIX}failing:{queue}"


LEADER = PREFIX + "caretaker"
"""String: the process that does what one at a time does (lead.lua). Expires unless renewed."""

USAGE = PREFIX + "usage"
"""Hash: use of owners that is not in the database yet, `field|day since 1970|owner`. Taken by the maintenance leader."""

ERASING = PREFIX + "erasing"
"""Hash: erasures that have begun, by the pseudonym of their subject, and when. An entry goes with the erasure's end."""

USAGE_TAKEN = PREFIX + "usage-taken"
"""Hash: the same on its way to the database, and the `id` of this batch. Goes once the database has it."""

BIN = PREFIX + "bin"
"""Sorted set: deleted job ids by when they were deleted (ms). Emptied by the maintenance leader."""

OPERATIONS = PREFIX + "operations"
"""Sorted set: tracked operations by when they began (ms). Swept by the maintenance leader."""


def error_group(fingerprint: str) -> str:
    """Hash: one error group. Goes with its entry in ERRORS."""
    return f"{PREFIX}error:{fingerprint}"


def error_jobs(fingerprint: str) -> str:
    """Sorted set: dead letters of a group by creation stamp. An entry goes when its job leaves the failed state."""
    return f"{PREFIX}error-jobs:{fingerprint}"


def operation(operation_id: str) -> str:
    """Hash: a tracked operation. Expires a day after it began."""
    return f"{PREFIX}operation:{operation_id}"


def operation_ids(operation_id: str) -> str:
    """Sorted set: the frozen ids that an operation still has to do. Expires a day after it began.

    That of an undo is filled, by time (ms), while the operation runs that it would take back, and expires with the bin.
    """
    return f"{PREFIX}operation-ids:{operation_id}"
