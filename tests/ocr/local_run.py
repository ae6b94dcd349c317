"""A `Run` without queue or server: folders for storage, a real pool for CPU work, parts one after the other."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from service.engine.pool.cpu_pool import CpuPool
from tasks.ports.files import Files
from tasks.sdk.errors import Permanent
from tasks.sdk.types import JobType, Meter, PartResult, Payload

T = TypeVar("T")


class LocalFiles:
    """Uploaded files as a folder of files named by their id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, file_id: str, data: bytes) -> str:
        (self._folder / file_id).write_bytes(data)
        return file_id

    async def describe(self, file_id: str) -> Any:
        raise NotImplementedError("no test asks for it")

    async def local(self, file_id: str, folder: Path) -> Path:
        path = self._folder / file_id
        if not path.exists():
            raise Permanent(f"The file {file_id} is gone.")
        return path


@dataclass
class LocalRun:
    """One attempt. `stages` records (percent, message, data) in the order in which they were reported."""

    folder: Path
    pool: CpuPool
    job_id: str = "local"
    owner: str = "tester"
    attempt: int = 1
    stages: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    part_payloads: list[Payload] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("files", "kept", "artefacts", "scratch"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.files = LocalFiles(self.folder / "files")
        self.scratch = self.folder / "scratch"

    async def progress(self, done: int, total: int, meter: Meter) -> None:
        percent = int(meter.low + (meter.high - meter.low) * done / max(1, total))
        message = meter.message.format(done=done, total=total, percent=percent)
        self.stages.append((percent, message, {meter.done_key: done, meter.total_key: total}))

    async def stage(self, percent: int, message: str, **data: Any) -> None:
        self.stages.append((percent, message, data))

    async def cpu(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T:
        return await self.pool.run(function, *args, timeout_s=timeout_s)

    async def keep(self, name: str, data: bytes) -> None:
        path = self.folder / "kept" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    async def kept(self, prefix: str = "") -> list[str]:
        root = self.folder / "kept"
        names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return sorted(name for name in names if name.startswith(prefix))

    async def recall(self, name: str) -> bytes | None:
        path = self.folder / "kept" / name
        return path.read_bytes() if path.exists() else None

    async def artefact(self, name: str, data: bytes | Path | AsyncIterator[bytes], media_type: str) -> None:
        path = self.folder / "artefacts" / name
        if isinstance(data, Path):
            path.write_bytes(data.read_bytes())
        elif isinstance(data, bytes):
            path.write_bytes(data)
        else:
            path.write_bytes(b"".join([chunk async for chunk in data]))

    async def parts(
        self, job: JobType, payloads: Sequence[Payload], meter: Meter, units: Sequence[int]
    ) -> list[PartResult]:
        assert len(payloads) == len(units)
        results: list[PartResult] = []
        for number, payload in enumerate(payloads):
            self.part_payloads.append(payload)
            try:
                result = msgspec.to_builtins(await job.function(payload, self))
                results.append(PartResult(number, "completed", result=result, payload=payload))
            except Exception as error:
                results.append(PartResult(number, "failed", error=str(error), payload=payload))
        return results

    def use(self, port: type) -> Any:
        assert port is Files
        return self.files

    def log(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    def artefact_bytes(self, name: str) -> bytes:
        return (self.folder / "artefacts" / name).read_bytes()
