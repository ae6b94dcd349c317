"""A child of the running stack: kept running, heard line by line, ended with all it started."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest

from service.supervisor.child import Child, lines
from tests.waiting import wait_until_async

pytestmark = pytest.mark.chaos

GRANDPARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("goodbye", flush=True), sys.exit(0)))
print("hello", flush=True)
time.sleep(600)
"""


@asynccontextmanager
async def running(code: str) -> AsyncIterator[tuple[Child, list[str]]]:
    """A child that runs `code`, and everything said by or about it."""
    text: list[str] = []
    ends: list[Child] = []
    child = Child("it", [sys.executable, "-c", code], os.environ, lambda _, line: text.append(line), ends.append)
    child.start()
    try:
        yield child, text
    finally:
        await child.stop(0)
        assert len(ends) == child.ends


async def test_what_it_writes_is_heard_and_it_ends_when_asked():
    async with running(POLITE) as (child, text):
        await wait_until_async(lambda: "hello" in text)
        await child.stop(grace_s=60)
        assert text == ["hello", "goodbye"]
        assert (child.pid, child.ends) == (None, 0)


async def test_killed_it_is_started_again():
    async with running(POLITE) as (child, text):
        await wait_until_async(lambda: "hello" in text)
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await wait_until_async(lambda: text.count("hello") == 2)
        assert child.pid not in (first, None)
        assert text[1] == "was ended by SIGKILL; starting again in 0.5 s"


async def test_a_crash_says_its_code_and_waits_longer_each_time():
    async with running("raise SystemExit(3)") as (child, text):
        await wait_until_async(lambda: child.ends == 2)
        assert text == [
            "ended with exit code 3; starting again in 0.5 s",
            "ended with exit code 3; starting again in 1.0 s",
        ]


async def test_one_that_will_not_end_is_killed():
    async with running(DEAF) as (child, text):
        await wait_until_async(lambda: "deaf" in text)
        await child.stop(grace_s=0.05)
        assert "did not end" in text[-1] and child.pid is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_what_it_started_ends_with_it(how: signal.Signals):
    async with running(GRANDPARENT) as (child, text):
        await wait_until_async(lambda: text)
        grandchild = psutil.Process(int(text[0]))
        assert child.pid is not None
        os.kill(child.pid, how)
        await wait_until_async(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)


async def test_lines_of_any_length_and_any_bytes():
    stream = asyncio.StreamReader()
    stream.feed_data(b"one\r\ntwo \xff\n" + b"x" * 200_000 + b"\nlast")
    stream.feed_eof()
    received = [line async for line in lines(stream)]
    assert received[:2] == ["one", "two \ufffd"] and received[-1] == "last"
    assert "".join(received[2:-1]) == "x" * 200_000 and max(map(len, received)) <= 2 * 65_536
