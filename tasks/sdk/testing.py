"""`LocalRun`: a `Run` for tests of tasks, on a folder, without a server.

    run = LocalRun(tmp_path)
    file_id = run.files.add("scan", data)
    result = await run.execute(pdf_ocr, PdfOcr(file_id=file_id))

`run.cpu` starts a real child process per call, or uses the `pool` it is given. A test in tests/engine/worker holds this
class to the `Run` that workers provide: one job makes the same assertions under both.
"""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from settings.queues import QUEUE_TABLE
from tasks.ports.files import Files
from tasks.sdk.chain import Finished, followers
from tasks.sdk.errors import Permanent
from tasks.sdk.program import run_program
from tasks.sdk.results import refuse_too_large
from tasks.sdk.testing_child import ChildPerCall, Pool
from tasks.sdk.testing_files import LocalFiles
from tasks.sdk.testing_outputs import LocalOutputs
from tasks.sdk.types import (
    JobType,
    Meter,
    PartResult,
    Payload,
    check_parts,
    check_service,
    check_wait,
    event_timed_out,
)

T = TypeVar("T")


class PutAside(BaseException):
    """The parts of a job were to be done, or an event was to be waited for: `execute` runs the task again from its start."""


class LocalRun(LocalOutputs):
    """Implements Run. What the task did can be read from its attributes.

    `stages` is a list of (percent, message, data) in the order of the calls; `lines` are what it logged, `following`
    what it started with `then`, `services` how often it used each external service, `part_runs` the runs of its parts,
    `artefacts` as a job's record lists them.
    """

    def __init__(
        self,
        folder: Path,
        pool: Pool | None = None,
        *,
        ports: Mapping[type, object] | None = None,
        job_id: str = "local-1",
        owner: str = "tester",
        parent: "LocalRun | None" = None,
        events: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(folder)
        self.pool = pool or ChildPerCall()
        self.job_id = job_id
        self.owner = owner
        self.attempt = 1
        self.parent = parent
        self.files: LocalFiles = parent.files if parent else LocalFiles(folder / "files", owner)
        self.ports: dict[type, object] = {Files: self.files, **(ports or {})}
        self.progress_percent = 0
        self.message = ""
        self.data: dict[str, Any] = {}
        self.stages: list[tuple[int, str, dict[str, Any]]] = []
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.following: list[tuple[JobType, Payload]] = []
        self.following_ids: list[str] = []
        self.part_runs: list[LocalRun] = []
        self.services: Counter[str] = Counter()
        self.events = dict(events or {})
        self._awaited: set[str] = set()
        self._groups: list[tuple[JobType, list[Payload], list[PartResult]]] = []
        self._turn_groups = 0
        self._once: set[str] = set()
        self._scratch: Path | None = None
        self._executing = False

    @property
    def scratch(self) -> Path:
        """A folder of this attempt."""
        if self._scratch is None:
            self._scratch = self.folder / "scratch" / f"{self.job_id}-{self.attempt}-{secrets.token_hex(4)}"
            self._scratch.mkdir(parents=True)
        return self._scratch

    @property
    def part_payloads(self) -> list[Payload]:
        """The payloads of the parts, in order."""
        return [payload for _, payloads, _ in self._groups for payload in payloads]

    async def execute(self, job: JobType, payload: Payload) -> Any:
        """Run the job as a worker would, with its retries (without their delays), and return its result as JSON has it.

        The payload is checked as one that arrives, so a value that its type forbids is Permanent. Raises what the last
        attempt raised.
        """
        retries = job.retries if job.retries is not None else QUEUE_TABLE[job.queue].retries
        self._executing = True
        while True:
            self._turn_groups = 0
            try:
                arrived = _arrived(job, payload)
                result = await job.function(arrived, self)
                if self.parent is None:
                    for follower, next_payload in followers(job, Finished(self.job_id, arrived, result)):
                        await self.then(follower, next_payload)
                refuse_too_large(msgspec.json.encode(result).decode())
                return msgspec.to_builtins(result)
            except PutAside:
                continue
            except Permanent:
                raise
            except Exception:
                if self.attempt > retries:
                    raise
                self.attempt += 1
            finally:
                self._scratch = None

    async def progress(self, done: int, total: int, meter: Meter) -> None:
        """Record `done` of `total` units."""
        self._report(*meter.at(done, total), {meter.done_key: done, meter.total_key: total})

    async def stage(self, percent: int, message: str, **data: Any) -> None:
        """Record a named stage."""
        self._report(percent, message, data)

    def _report(self, percent: int, message: str, data: dict[str, Any]) -> None:
        self.progress_percent, self.message = max(percent, self.progress_percent), message
        self.data |= msgspec.to_builtins(data)
        self.stages.append((percent, message, data))

    async def cpu(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T:
        """Run a module-level function in a child process."""
        return await self.pool.run(function, *args, timeout_s=timeout_s)

    async def program(
        self, command: Sequence[str], *, on_line: Callable[[str], None] | None = None, timeout_s: float | None = None
    ) -> str:
        """Run an external program in the scratch folder."""
        return await run_program(command, self.scratch, on_line=on_line, timeout_s=timeout_s)

    @contextlib.asynccontextmanager
    async def beside(self, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Do `work` while the block runs."""
        task = asyncio.create_task(work)
        try:
            yield
        finally:
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=0.1)

    @contextlib.asynccontextmanager
    async def service(self, name: str) -> AsyncIterator[None]:
        """Use an external service at once: nothing bounds it here. `services` counts the uses by name."""
        check_service(name)
        self._root.services[name] += 1
        yield

    async def once(self, name: str) -> bool:
        """True the first time."""
        first = name not in self._once
        self._once.add(name)
        return first

    async def parts(
        self, job: JobType, payloads: Sequence[Payload], meter: Meter, units: Sequence[int]
    ) -> list[PartResult]:
        """Do the parts one after the other. Under `execute` the task then runs again from its start, as under a worker.

        `units` is the work of each payload, in the same order, which `meter` turns into the recorded progress.
        """
        check_parts(self.job_id, is_part=self.parent is not None, job=job)
        if not payloads:
            return []
        known = self._known_group(job, payloads)
        self._turn_groups += 1
        if known is not None:
            return known
        before, results = len(self.part_payloads), []
        for number, (payload, size) in enumerate(zip(payloads, units, strict=True), 1):
            results.append(await self._part(job, payload, number, before + number))
            done = sum(units[: number - 1]) + size
            await self.progress(done, sum(units), meter)
        self._groups.append((job, list(payloads), results))
        if self._executing:
            raise PutAside
        return results

    def _known_group(self, job: JobType, payloads: Sequence[Payload]) -> list[PartResult] | None:
        """Results of a group that has been done; under `execute` the one that is next in this turn."""
        if not self._executing:
            return next((found for one, done, found in self._groups if one is job and done == list(payloads)), None)
        if self._turn_groups >= len(self._groups):
            return None
        _, done, results = self._groups[self._turn_groups]
        if len(done) != len(payloads):
            raise Permanent(
                f"an earlier turn of {self.job_id} made {len(done)} parts and this one asks for {len(payloads)}"
            )
        return results

    async def wait_for(self, event: str, timeout_s: float, *, question: str = "") -> Any:
        """The body of an event among `events`; for one that is not there no time passes. Under `execute` the task runs again
        from its start first, as under a worker."""
        check_wait(self.job_id, is_part=self.parent is not None, event=event, timeout_s=timeout_s)
        if self._executing and event not in self._awaited:
            self._awaited.add(event)
            raise PutAside
        if event not in self.events:
            raise event_timed_out(event, timeout_s)
        return msgspec.json.decode(msgspec.json.encode(self.events[event]))

    async def _part(self, job: JobType, payload: Payload, number: int, of_all: int) -> PartResult:
        run = LocalRun(
            self.folder,
            self.pool,
            ports=self.ports,
            job_id=f"{self.job_id}.{of_all}",
            owner=self.owner,
            parent=self,
        )
        self.part_runs.append(run)
        try:
            result = await run.execute(job, payload)
        except Exception as error:
            text = str(error) if isinstance(error, Permanent) else f"{type(error).__name__}: {error}"
            return PartResult(number, "failed", None, text, payload)
        return PartResult(number, "completed", result, None, payload)

    async def then(self, job: JobType, payload: Payload, units: int = 0) -> str:
        """Record a job to be started when this one completes."""
        self.following.append((job, payload))
        self.following_ids.append(f"{job.name}-{secrets.token_hex(10)}")
        return self.following_ids[-1]

    def use(self, port: type[T]) -> T:
        """The test's implementation of a protocol. Raises KeyError for one that it does not."""
        return cast(T, self.ports[port])

    def log(self, event: str, /, **fields: Any) -> None:
        """Record one line."""
        self.lines.append((event, fields))

    @property
    def _root(self) -> "LocalRun":
        return self.parent or self


def _arrived(job: JobType, payload: Payload) -> Any:
    try:
        return msgspec.json.decode(msgspec.json.encode(payload), type=job.payload)
    except msgspec.ValidationError as error:
        raise Permanent(f"the payload does not fit {job.name}: {error}") from None
