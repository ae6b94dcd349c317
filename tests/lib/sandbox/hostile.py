"""Deeds of a document that has taken over its reader. Each runs in a child of the pool, and returns what came of it."""

import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def outcome(deed: Callable[[], Any]) -> str:
    """`done`, or the name of the error that the system answered with."""
    try:
        deed()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "done"


def connect(port: int) -> str:
    return outcome(lambda: socket.create_connection(("127.0.0.1", port), timeout=5).close())


def connect_past_python(port: int) -> str:
    """The same by a program of its own, which inherits what its parent may do."""
    code = f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=5)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    return "done" if not done.returncode else done.stderr.splitlines()[-1]


def open_socket(family: int, kind: int) -> str:
    return outcome(lambda: socket.socket(family, kind).close())


def read(path: Path) -> str:
    return outcome(lambda: path.read_bytes())


def listing(path: Path) -> str:
    return outcome(lambda: os.listdir(path))


def write(path: Path) -> str:
    return outcome(lambda: path.write_bytes(b"planted"))


def temporary() -> Path:
    """A folder as libraries make it, also those that ask the environment."""
    assert os.environ["TMPDIR"] == tempfile.gettempdir()
    return Path(tempfile.mkdtemp())


def home() -> tuple[str, str]:
    """The home as libraries find it, and what they meet where they look for a file of their own in it."""
    return str(Path.home()), read(Path.home() / "library" / "settings")


def remove(path: Path) -> str:
    return outcome(path.unlink)


def change_mode(path: Path) -> str:
    return outcome(lambda: path.chmod(0o777))


def link_out(path: Path, target: Path) -> str:
    return outcome(lambda: path.symlink_to(target))


def signal_parent() -> str:
    return outcome(lambda: os.kill(os.getppid(), signal.SIGTERM))


def read_of_parent(name: str) -> str:
    return read(Path(f"/proc/{os.getppid()}/{name}"))


def file_of(path: Path, size: int) -> str:
    def grow() -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return outcome(grow)


def threads() -> int:
    """Threads of the child before it has imported a library of ours."""
    return threading.active_count() + len(os.listdir("/proc/self/task")) - 1
