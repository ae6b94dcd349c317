"""The child's side of the CPU pool: what it sets up before its first task, and how it runs one."""

import logging
import os
import pickle
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from ctypes import c_int
from typing import Any

from service.lib.parent_death import die_with_parent
from service.lib.sandbox.confine import confine
from service.lib.sandbox.rules import Rules
from tasks.sdk.memory_group import die_first

TIMES = 2
"""Numbers that a child shares with its parent: its CPU seconds as a task began, and as it ended."""

NOT_BEGUN = (-1.0, -1.0)

times: Any = list(NOT_BEGUN)
"""Those of this process: in shared memory, so that the parent knows them of a child that it kills."""


def start_child(pid: c_int, parent_pid: int, shared: Any, niceness: int = 0, rules: Rules | None = None) -> None:
    """Report the child's process id in shared memory, tie the child's life to its parent's, lower its priority by `niceness`, and
    confine it to `rules`."""
    # Both signals reach the whole process group when a worker is asked to stop; running work is given time to finish.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(parent_pid)
    os.nice(niceness)
    die_first(os.getpid())
    # Libraries name each fault of a file in a line of their own, thousands for a damaged TIFF of 11 KB: without a handler Python
    # would write all of them to the operator's log.
    logging.getLogger().addHandler(logging.NullHandler())
    if rules:
        # Before the first import of a library that starts threads, and before the first document.
        confine(rules)
    global times
    times = shared
    pid.value = os.getpid()


def _die_with(parent_pid: int) -> None:
    die_with_parent(parent=parent_pid)
    if sys.platform != "linux":
        # Other kernels have no such signal.
        threading.Thread(target=_watch_parent, args=(parent_pid,), daemon=True).start()


def _watch_parent(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(1)
    os._exit(1)


def call(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Run a task. An error that could not be read back in the parent is replaced by its name and message."""
    times[0] = cpu_s()
    try:
        return function(*args)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            raise RuntimeError(f"{type(error).__name__}: {error}") from error
        raise
    finally:
        times[1] = cpu_s()


def cpu_s() -> float:
    """CPU seconds of this process and of the programs that it has run, which have ended."""
    own, programs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + programs.ru_utime + programs.ru_stime
