"""Processes of our own code that are forked from a prepared one, in which all that they import is loaded already.

A worker spends most of its start on imports, a second and a half of CPU, and the suite starts some two hundred. What is forked is
the real process all the same: `python -m MODULE ARGUMENTS` with an environment, a log and a life of its own. A test about the
start itself, or about what only a new interpreter reads, starts one with subprocess.
"""

import ast
import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import IO

ROOT = Path(__file__).parents[1]

MESSAGE_MAX = 200_000
"""Bytes of a request: an environment may be long."""

AT_START = ("LD_", "PYTHON", "MALLOC_", "OFFLOAD_JOBS")
"""Beginnings of variables that are read once, as the interpreter or our modules are loaded."""


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(AT_START)}


PREPARED_WITH = _at_start(os.environ)


class Forked:
    """A process as subprocess.Popen shows one: of its interface what tests use."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        """The exit code, or the negative signal; None while the process runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once there is one. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            # Nothing is written where the preparing process was killed, and so all of its children.
            self.returncode = int(os.read(self._status, 16) or -signal.SIGKILL)
            os.close(self._status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


Process = Forked | subprocess.Popen[bytes]


def started(module: str, arguments: Sequence[str], environment: Mapping[str, str], output: IO[bytes]) -> Process:
    """`python -m module arguments` in the project's folder, with exactly `environment`; its output and errors go to `output`."""
    if not hasattr(os, "pidfd_open") or _at_start(environment) != PREPARED_WITH:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=output, stderr=output)
    status, status_end = os.pipe()
    request = json.dumps([module, list(arguments), dict(environment)]).encode()
    try:
        socket.send_fds(_prepared("web" if module == "uvicorn" else "worker"), [request], [output.fileno(), status_end])
    finally:
        os.close(status_end)
    pid = b""
    while not pid.endswith(b"\n"):
        pid += os.read(status, 1) or b"-1\n"
    assert int(pid) > 0, "the prepared process has ended"
    return Forked(int(pid), status)


@cache
def _prepared(kind: str) -> socket.socket:
    """Where requests are sent to the prepared process of that kind, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MESSAGE_MAX)
    others = {name: value for name, value in os.environ.items() if not name.startswith(("OFFLOAD_", *AT_START))}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, kind, str(theirs.fileno())],
            cwd=ROOT,
            env=others | PREPARED_WITH,
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# What follows runs in the prepared process.


def _load(kind: str) -> None:
    """Import what processes of that kind do, but nothing that reads the environment as it is imported."""
    if kind == "web":
        names = [
            "uvicorn.protocols.http.auto",
            "uvicorn.protocols.websockets.auto",
            "uvicorn.lifespan.on",
            "dashboard.app",
        ]
    else:
        root = ast.parse((ROOT / "tasks" / "workers.py").read_bytes())
        names = ["arq.cli", "uvloop", "service.lib.held_collector"]
        names += [f"tasks.{one.name}" for one in iter_modules([str(ROOT / "tasks")]) if not one.ispkg]
        names += [node.module for node in root.body if isinstance(node, ast.ImportFrom) and node.module]
        names.remove("tasks.workers")
    for name in names:
        import_module(name)


def _requests(requests: socket.socket) -> Callable[[], None] | None:
    """Fork a process for each request. Returns, in such a process, what it is to run; None at the end, when all are killed."""
    poller, running = select.poll(), dict[int, tuple[int, int]]()
    poller.register(requests, select.POLLIN)
    while True:
        for ready, _ in poller.poll():
            if ready in running:
                poller.unregister(ready)
                pid, status = running.pop(ready)
                os.write(status, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
                os.close(status)
                os.close(ready)
                continue
            message, fds, *_ = socket.recv_fds(requests, MESSAGE_MAX, 2)
            if not message:
                for pid, _ in running.values():
                    os.kill(pid, signal.SIGKILL)
                return None
            output, status = fds
            if not (pid := os.fork()):
                requests.close()
                for descriptors in running.items():
                    os.close(descriptors[0])
                    os.close(descriptors[1][1])
                os.close(status)
                return lambda: _become(*json.loads(message), output)
            os.write(status, f"{pid}\n".encode())
            os.close(output)
            watched = os.pidfd_open(pid)
            running[watched] = pid, status
            poller.register(watched, select.POLLIN)


def _become(module: str, arguments: list[str], environment: dict[str, str], output: int) -> None:
    """Run the module as the interpreter would."""
    from service.lib.parent_death import die_with_parent

    die_with_parent()
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    # A Ctrl-C is for the tests, which end this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _load(sys.argv[1])
    # Pages that the collector does not touch stay shared.
    gc.freeze()
    run = _requests(socket.socket(fileno=int(sys.argv[2])))
    if run:
        run()
