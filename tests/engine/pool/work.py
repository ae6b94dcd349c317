"""Functions for the children of the pool's tests: module-level, so that a spawned process finds them."""

import logging
import os
import resource
import signal
import time
from pathlib import Path

import psutil


def double(number: int) -> int:
    return number * 2


def own_pid() -> int:
    return os.getpid()


def mark_and_hang(marker: Path) -> None:
    """Write the child's pid, then hang in a way that no polite signal ends."""
    marker.with_suffix(".part").write_text(str(os.getpid()))
    marker.with_suffix(".part").rename(marker)
    while True:
        time.sleep(60)


def wait_for_file(path: Path) -> int:
    while not path.exists():
        time.sleep(0.01)
    return os.getpid()


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(code: int) -> None:
    os._exit(code)


def grow(megabytes: int) -> int:
    """Hold ever more memory, slowly enough to be caught, up to a bound that the machine can bear."""
    held = []
    for _ in range(megabytes):
        held.append(b"x" * 1024 * 1024)
        time.sleep(0.005)
    return len(held)


def fail(message: str) -> None:
    raise ValueError(message)


class StubbornError(Exception):
    """Pickles, but cannot be read back: its constructor wants two arguments and its args hold one."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(left + right)


def fail_stubbornly() -> None:
    raise StubbornError("no", "way")


def complain(text: str) -> None:
    """What a library does that meets a fault in a file."""
    logging.getLogger("library").error(text)


def burn(cpu_s: float) -> float:
    """Use so much CPU time; returns how much it was."""
    begun = time.process_time()
    while time.process_time() < begun + cpu_s:
        pass
    return time.process_time() - begun


def burn_and_fail(cpu_s: float) -> None:
    burn(cpu_s)
    raise ValueError("burnt")


def burn_and_crash(cpu_s: float) -> None:
    burn(cpu_s)
    crash()


def hold(megabytes: int, marker: Path, go: Path) -> int:
    """Hold memory that is really there until `go` exists."""
    held = bytearray(megabytes << 20)
    held[::4096] = b"x" * len(held[::4096])
    marker.touch()
    while not go.exists():
        time.sleep(0.01)
    return len(held)


def take(megabytes: int) -> int:
    """Hold so much memory at once, that is really there."""
    return len(b"x" * (megabytes << 20))


def take_within(megabytes: int, least: int) -> int:
    """Hold so much memory where the process may not have more than `least` megabytes of addresses besides those that it has."""
    bound = psutil.Process().memory_info().vms + (least << 20)
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    return take(megabytes)
