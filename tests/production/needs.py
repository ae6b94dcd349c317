"""What the machine may lack: said in one line where a test is skipped for it, and a failure where CI could have installed it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def need_program(program: str, package: str = "", *, installable: bool = True) -> str:
    """Path of a program; skips the test where it is not installed, in CI too where its Debian has no such package."""
    found = shutil.which(program)
    if found is None:
        _lack(program, package or program, installable)
    return str(found)


def need_faketime() -> str:
    """Path of the library that sets a process's clock wrong; skips the test where it is not installed."""
    if FAKETIME is None:
        _lack("libfaketime", "libfaketime")
    return str(FAKETIME)


def need_namespaces() -> None:
    """Skip the test where this process may make no network namespaces, in CI too: a container may not be allowed to."""
    need_program("ip", "iproute2")
    name = f"offload-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True)
    if made.returncode:
        pytest.skip("no network namespaces can be made here: that needs root and the capability CAP_NET_ADMIN")
    subprocess.run(["ip", "netns", "del", name], check=True)


def _lack(what: str, package: str, installable: bool = True) -> None:
    sentence = f"{what} is not installed here (apt-get install {package})"
    if installable and os.environ.get("TESTS_IN_CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        pytest.fail(sentence)
    pytest.skip(sentence)
