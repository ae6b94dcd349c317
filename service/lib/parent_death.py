"""Tie a process's life to its parent's: a parent killed with -9 takes its children with it.

`tied(command)` gives a command line that runs `command` so; this file, run as a script, is the launcher in it. The
launcher replaces itself by the command, so the pid that the parent sees is the command's own.
"""

import ctypes
import os
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
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


if __name__ == "__main__":
    die_with_parent(parent=int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
