"""The control group that bounds this process's memory: its limit, what is free of it, and whom the kernel killed for it.

A container has one, and so has a unit of systemd. Both versions are read, and the groups around it that can be seen; without
any the machine's figures count. See cgroups(7) and the kernel's "Control Group v2" and "Memory Resource Controller".
"""

import contextlib
import functools
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tasks.sdk.errors import ChildDied, MemoryCeiling, OutOfMemory

FIRST = 500
"""Added to the kernel's score of a child: it dies before a parent that holds more, by up to half of the memory."""

UNBOUNDED = 1 << 60
"""Version 1 writes a group without a limit as the largest number of pages."""


@dataclass(frozen=True)
class Files:
    """Names of a version's files, and of the line of `memory.stat` for file pages that the kernel takes back when it needs to."""

    limit: str
    used: str
    events: str
    reclaimable: str


VERSION_1 = Files("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.oom_control", "total_inactive_file")
VERSION_2 = Files("memory.max", "memory.current", "memory.events", "inactive_file")


@dataclass(frozen=True)
class MemoryGroup:
    """`folders`: that of the process first, then those around it."""

    folders: tuple[Path, ...]
    files: Files
    proc: Path = Path("/proc")

    def limit(self) -> int | None:
        """Bytes that the process and its neighbours in the group may hold together; None without a bound."""
        return min((limit for _, limit in self._bounds()), default=None)

    def free(self) -> int | None:
        """Bytes that can be had of it now; None without a bound."""
        return min((max(0, limit - _held(folder, self.files)) for folder, limit in self._bounds()), default=None)

    def kills(self) -> int:
        """Processes of the group that the kernel has killed because memory was used up, since the group was made."""
        # The machine's own top group has no such file; there the kernel's count for the machine holds.
        for path in (*(folder / self.files.events for folder in self.folders), self.proc / "vmstat"):
            if (found := _line(path, "oom_kill")) is not None:
                return found
        return 0

    def _bounds(self) -> Iterator[tuple[Path, int]]:
        for folder in self.folders:
            if (limit := _number(folder / self.files.limit)) is not None and limit < UNBOUNDED:
                yield folder, limit


def group_of_process(proc: Path = Path("/proc")) -> MemoryGroup:
    """The group of this process. `proc` is where the kernel shows its processes."""
    for kind, option, files in (("cgroup", "memory", VERSION_1), ("cgroup2", "", VERSION_2)):
        path, mounted = _path(proc, option), _mounted(proc, kind, option)
        if path is None or mounted is None:
            continue
        top, root = mounted
        # A container may see its own group as the top: by a namespace, or because no more of the tree is mounted in it.
        inside = path.removeprefix(root) if path == root or path.startswith(root.rstrip("/") + "/") else "/"
        own = top / inside.strip("/")
        if not own.is_dir():
            own = top
        around = [folder for folder in own.parents if folder.is_relative_to(top)]
        return MemoryGroup((own, *around), files, proc)
    return MemoryGroup((), VERSION_2, proc)


@functools.cache
def own_group() -> MemoryGroup:
    """The group of this process, found once: none is moved while it works."""
    return group_of_process()


def total_mb() -> int:
    """Memory that there is: the machine's, or the group's where that is less."""
    total, limit = psutil.virtual_memory().total, own_group().limit()
    return (total if limit is None else min(total, limit)) >> 20


def free_mb() -> int:
    """Memory that can be had now: the machine's, or the group's where that is less."""
    available, free = psutil.virtual_memory().available, own_group().free()
    return (available if free is None else min(available, free)) >> 20


def killed(name: str, signal_number: int, kills_before: int) -> ChildDied | MemoryCeiling:
    """The error about a process that a signal has ended: OutOfMemory where the kernel has killed since `kills_before`."""
    if signal_number == signal.SIGKILL and own_group().kills() > kills_before:
        return OutOfMemory(f"{name} was killed by the system because all {total_mb():,} MB of memory were in use")
    return ChildDied(f"{name} was killed by {signal.Signals(signal_number).name}")


def die_first(pid: int) -> None:
    """Let the kernel choose this process rather than its parent when memory is used up: it costs one call, not all of them."""
    path = Path(f"/proc/{pid}/oom_score_adj")
    with contextlib.suppress(OSError, ValueError):
        path.write_text(str(min(1000, int(path.read_text()) + FIRST)))


def _path(proc: Path, option: str) -> str | None:
    """Path of the process's group in the hierarchy of a controller of version 1, or in that of version 2 (`option` empty)."""
    for line in _lines(proc / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if (option in controllers.split(",")) if option else not controllers:
            return path
    return None


def _mounted(proc: Path, kind: str, option: str) -> tuple[Path, str] | None:
    """The folder where a hierarchy is mounted, and its group that is seen there: mountinfo in proc(5)."""
    for line in _lines(proc / "self" / "mountinfo"):
        fields, _, tail = line.partition(" - ")
        found, _, options = tail.split(" ", 2)
        if found == kind and (not option or option in options.split(",")):
            root, place = fields.split(" ")[3:5]
            return Path(place), root
    return None


def _held(folder: Path, files: Files) -> int:
    return (_number(folder / files.used) or 0) - (_line(folder / "memory.stat", files.reclaimable) or 0)


def _number(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
    return None


def _line(path: Path, name: str) -> int | None:
    """The number in a file's line of a name."""
    with contextlib.suppress(OSError, ValueError):
        found = re.search(rf"^{name} (\d+)$", path.read_text(), re.M)
        return int(found[1]) if found else None
    return None


def _lines(path: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return path.read_text().splitlines()
    return []
