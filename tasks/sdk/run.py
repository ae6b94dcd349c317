"""`Run`: what a task may ask of the system that carries it. The engine implements it; a test may too."""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tasks.sdk.types import JobType, Meter, PartResult, Payload

T = TypeVar("T")


class Run(Protocol):
    """One attempt of one job."""

    job_id: str
    owner: str
    attempt: int

    @property
    def scratch(self) -> Path:
        """A folder of this attempt's own, removed when the attempt ends."""
        ...

    async def progress(self, done: int, total: int, meter: Meter) -> None:
        """Record `done` of `total` units. Never lowers the bar; writes are throttled, the last of a burst is not lost."""
        ...

    async def stage(self, percent: int, message: str, **data: Any) -> None:
        """Record a named stage at `percent`, with counts to show with it."""
        ...

    async def cpu(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T:
        """Run a module-level function in the process pool. TimeoutError kills the child, and only that child: after `timeout_s`
        seconds, of which those are not counted for which others kept it from a core.
        """
        ...

    async def program(
        self, command: Sequence[str], *, on_line: Callable[[str], None] | None = None, timeout_s: float | None = None
    ) -> str:
        """Run an external program in the scratch folder and return the end of its error output.

        `on_line` is called with each line that it prints. It is killed with the attempt (a cancel, a time limit, the end
        of the worker) and when it grows past the queue's memory ceiling. Raises ProgramFailed, TimeoutError,
        MemoryCeiling, ChildDied.
        """
        ...

    def beside(self, work: Coroutine[Any, Any, None]) -> AbstractAsyncContextManager[None]:
        """Do `work` while the block runs. Once the block is over it has ended, whatever it was at."""
        ...

    async def keep(self, name: str, data: bytes) -> None:
        """Keep an intermediate result under the job (the parent, for a part), so that a retry does not repeat it."""
        ...

    async def kept(self, prefix: str = "") -> list[str]:
        """Sorted names of what has been kept under `prefix`."""
        ...

    async def recall(self, name: str) -> bytes | None:
        """The bytes kept under `name`, or None."""
        ...

    async def once(self, name: str) -> bool:
        """True the first time any attempt of this job asks for `name`, False ever after: guards an effect against repeats.

        It says yes before the effect, so a death in between leaves the effect undone: at most once, never twice.
        """
        ...

    async def artefact(self, name: str, data: bytes | Path | AsyncIterator[bytes], media_type: str) -> None:
        """Put a finished file under the job. It appears whole or not at all."""
        ...

    async def artefact_of(self, job_id: str, name: str) -> bytes:
        """A finished file of another job of the same owner. Raises Permanent where there is no such job or file."""
        ...

    async def parts(
        self, job: JobType, payloads: Sequence[Payload], meter: Meter, units: Sequence[int]
    ) -> list[PartResult]:
        """Do the payloads as parts spread over all workers, and return when every one has ended, in order.

        The attempt is put aside and holds no slot; when the last part ends the task runs again from its start
        and this call returns at once. Whatever stands before it must therefore be cheap or kept. A task may call it several
        times, one group of parts after the other; each has the same number of parts in every attempt. Raises Permanent within
        a part, and for a `job` that is public: a part's files lie with its parent, so such parts would overwrite each other.
        """
        ...

    async def wait_for(self, event: str, timeout_s: float, *, question: str = "") -> Any:
        """Wait for an event from outside and return its JSON body: `POST /api/jobs/{id}/events/{event}`, or a person's answer
        to `question` on the job's page, which is `{"approved": bool, "by": str, "comment": str}`.

        The attempt is put aside in the meantime and holds no slot, as for parts: the task runs again from its start, and this call
        returns at once. One that came before it was asked for is returned too. Raises EventTimedOut when it has not come
        `timeout_s` seconds after the first call, Permanent within a part.
        """
        ...

    async def then(self, job: JobType, payload: Payload, units: int = 0) -> str:
        """Start another job when this attempt completes, exactly once and only then. Returns the job's id."""
        ...

    def use(self, port: type[T]) -> T:
        """The implementation of a protocol of tasks/ports/ (a mailer, the campaigns' rows, a dataset's rows)."""
        ...

    def service(self, name: str) -> AbstractAsyncContextManager[None]:
        """Use an external service that several job types share, such as `crm`, within the block.

        Waits until the service's rate, and the number of uses at once, allow it over all workers; an operator sets them
        by OFFLOAD_SERVICES__<NAME>__…. An error that leaves the block counts against the service, unless it is Permanent or
        RetryLater: after many in a row the service pauses. While it is paused the call raises ServicePaused, which a task lets
        pass: the job is put back, and its task runs again from its start once the service is open. Raises ValueError for a
        name that is not small letters, digits and dashes.
        """
        ...

    def log(self, event: str, /, **fields: Any) -> None:
        """One line in the log, with the job's id and attempt bound. A field of one of those names gets a `_` behind it."""
        ...
