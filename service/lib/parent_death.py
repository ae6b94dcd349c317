"""Tie a process's life to its parent's: a parent killed with -9 takes its children with it.

`tied(command)` gives a command line that runs `command` so, and `bounded` one that also limits its memory; this file, run
as a script, is the launcher in it. The launcher replaces itself by the command, so
the pid that the parent sees is the command's own.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h; see prctl(2). The setting survives execve, and is the kernel's to keep, not a poll's."""


def die_with_parent(signal_number: int = signal.SIGKILL, parent: int | None = None) -> None:
    """Send this process `signal_number` when the thread that started it ends. Does nothing but on Linux.

    `parent` is the pid that this process's parent should have: where it has gone already, the signal is sent at once.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def tied(command: Sequence[str]) -> list[str]:
    """A command line that runs `command` for as long as this process lives, at most.

    Start it from a thread that lives as long as the process: to the kernel, the parent is the thread.
    """
    return bounded(command, 0)


def bounded(command: Sequence[str], memory_mb: int) -> list[str]:
    """As `tied`, with at most `memory_mb` of memory of its own (0 for no limit): the kernel refuses it more."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(memory_mb), *command]


def limit_memory(memory_mb: int) -> None:
    """Limit the memory that this process can write to. Does nothing where the system knows no such limit."""
    if memory_mb and sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb << 20, memory_mb << 20))


if __name__ == "__main__":
    die_with_parent(parent=int(sys.argv[1]))
    limit_memory(int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
