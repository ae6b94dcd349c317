"""Control groups as the kernel shows them, on a machine, in containers of both versions and under systemd."""

from pathlib import Path

import pytest

from tasks.sdk.memory_group import UNBOUNDED, VERSION_1, VERSION_2, group_of_process

MB = 1 << 20
NONE = f"{UNBOUNDED * 8 - 4096}"
ONE = "12:memory:{path}\n3:cpu,cpuacct:/elsewhere\n0::/\n"
TWO = "0::{path}\n"


class Machine:
    """A tree of groups, and what a process of one of them sees of it."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.top = folder / "cgroup"
        (self.proc / "self").mkdir(parents=True)
        self.top.mkdir()
        (self.proc / "vmstat").write_text("nr_free_pages 4\noom_kill 9\noom_kill_other 1\n")

    def sees(self, groups: str, path: str, *, root: str = "/") -> None:
        (self.proc / "self" / "cgroup").write_text(groups.format(path=path))
        mounts = [
            f"24 1 8:1 / {self.proc} rw shared:1 - proc proc rw",
            f"31 23 0:28 / {self.top}2 rw,relatime - cgroup cgroup rw,cpu,cpuacct",
            f"35 31 0:32 {root} {self.top} rw,relatime shared:9 - "
            + ("cgroup2 cgroup2 rw" if groups == TWO else "cgroup cgroup rw,memory"),
        ]
        (self.proc / "self" / "mountinfo").write_text("\n".join(mounts) + "\n")

    def holds(self, group: str, files: dict[str, str]) -> None:
        folder = self.top / group
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(f"{text}\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def version_1(limit: str, used_mb: int, cached_mb: int, kills: int) -> dict[str, str]:
    return {
        "memory.limit_in_bytes": limit,
        "memory.usage_in_bytes": f"{used_mb * MB}",
        "memory.stat": f"cache 5\ninactive_file 7\ntotal_inactive_file {cached_mb * MB}",
        "memory.oom_control": f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}",
    }


def version_2(limit: str, used_mb: int, cached_mb: int, kills: int) -> dict[str, str]:
    return {
        "memory.max": limit,
        "memory.current": f"{used_mb * MB}",
        "memory.stat": f"anon 5\ninactive_file {cached_mb * MB}",
        "memory.events": f"low 0\noom 3\noom_kill {kills}\noom_group_kill 0",
    }


@pytest.mark.parametrize(
    ("groups", "path", "root"),
    [
        # Docker's on version 2: a namespace of its own, whose top is the container's group.
        (TWO, "/", "/"),
        # Version 1 without a namespace: the container's group alone is mounted, and the path is the machine's.
        (ONE, "/docker/4f1c", "/docker/4f1c"),
        # A path that is not below what is mounted, as where the two are of different namespaces.
        (TWO, "/kubepods/pod7", "/../elsewhere"),
    ],
)
def test_a_container(machine: Machine, groups: str, path: str, root: str) -> None:
    made = version_2 if groups == TWO else version_1
    machine.sees(groups, path, root=root)
    machine.holds(".", made(f"{500 * MB}", 300, 100, 2))
    group = group_of_process(machine.proc)
    assert (group.limit(), group.free(), group.kills()) == (500 * MB, 300 * MB, 2)


@pytest.mark.parametrize("groups", [ONE, TWO])
def test_a_unit_of_systemd_within_a_tighter_slice(machine: Machine, groups: str) -> None:
    made, none = (version_2, "max") if groups == TWO else (version_1, NONE)
    machine.sees(groups, "/jobs.slice/offload-worker@media.service")
    machine.holds("jobs.slice/offload-worker@media.service", made(f"{900 * MB}", 200, 0, 1))
    machine.holds("jobs.slice", made(f"{800 * MB}", 750, 0, 4))
    machine.holds(".", made(none, 5_000, 0, 6) if groups == ONE else {"memory.stat": "anon 5"})
    group = group_of_process(machine.proc)
    assert group.files == (VERSION_2 if groups == TWO else VERSION_1)
    assert (group.limit(), group.free(), group.kills()) == (800 * MB, 50 * MB, 1)


@pytest.mark.parametrize("groups", [ONE, TWO])
def test_no_bound(machine: Machine, groups: str) -> None:
    made, none = (version_2, "max") if groups == TWO else (version_1, NONE)
    machine.sees(groups, "/user.slice")
    machine.holds("user.slice", made(none, 200, 0, 0))
    group = group_of_process(machine.proc)
    assert (group.limit(), group.free(), group.kills()) == (None, None, 0)


def test_the_top_group_of_a_machine_has_the_machine_s_count(machine: Machine) -> None:
    machine.sees(TWO, "/")
    machine.holds(".", {"memory.stat": "anon 5"})
    group = group_of_process(machine.proc)
    assert (group.limit(), group.free(), group.kills()) == (None, None, 9)


def test_a_kernel_without_groups_and_a_system_without_proc(machine: Machine, tmp_path: Path) -> None:
    assert (group_of_process(machine.proc).limit(), group_of_process(machine.proc).kills()) == (None, 9)
    other = group_of_process(tmp_path / "none")
    assert (other.limit(), other.free(), other.kills()) == (None, None, 0)
