"""Refusals of the store, each with the sentence a client is shown."""

from collections.abc import Sequence

from redis.exceptions import RedisError

from service.lib.text import listed


class StoreError(Exception):
    """A request that the store did not carry out."""


class NoSuchJob(StoreError):
    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id}")


class NoSuchWorkflow(StoreError):
    def __init__(self, workflow_id: str) -> None:
        super().__init__(f"there is no workflow {workflow_id}")


class WrongState(StoreError):
    """The job's state forbids the action."""


class AcrossServers(StoreError):
    """Jobs that go together stand on more than one queue server."""

    def __init__(self, queues: Sequence[str]) -> None:
        super().__init__(
            f"jobs of the queues {listed(queues)} cannot go together: they stand on more than one queue server; ask for "
            "those of each queue alone"
        )


class IdempotencyConflict(StoreError):
    def __init__(self, key: str, job_id: str) -> None:
        super().__init__(f"Idempotency-Key {key!r} was used for another request (job {job_id})")
        self.job_id = job_id


class OverLimit(StoreError):
    """A limit of the owner's is reached: the sentence names it and when there is room again."""

    def __init__(self, sentence: str, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class TooManyQueued(OverLimit):
    """As many of the owner's jobs wait as may. `allows` is the beginning of the sentence where its plan sets the limit."""

    def __init__(self, limit: int, retry_after_s: int, allows: str = "") -> None:
        waiting = f"{allows}, and so many wait already" if allows else f"{limit} of your jobs are waiting already"
        super().__init__(f"{waiting}; try again in {retry_after_s} s", retry_after_s)


class LeaseLost(Exception):
    """The attempt no longer holds its job: whatever it wanted to write was not written."""


class NotReplicated(RedisError):
    """New jobs are queued, and fewer replicas than wanted have confirmed them in time."""

    def __init__(self, replicas: int) -> None:
        servers = "no second server has" if replicas == 1 else f"fewer than {replicas} other servers have"
        super().__init__(f"{servers} confirmed the request yet; send it again with the same Idempotency-Key")


class OtherParts(StoreError):
    """A later attempt asks for other parts than the first made: which of them are done would be a guess."""

    def __init__(self, made: int, requested: int) -> None:
        super().__init__(
            f"an earlier attempt of this job made {made:,} parts and this one asks for {requested:,}: what the number is made "
            f"from has changed between the two, and a retry would find the same; send the job again"
        )


class TooManyToRead(StoreError):
    """A bulk operation would have to read the logs or attempts of more jobs than one request may."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the logs or attempts of more than {most:,} jobs would have to be searched: narrow the filter, by created: or "
            f"queue: for one, and act on what is left"
        )
