"""A child that others keep from a core has its time all the same; one that sleeps has not."""

import os
import subprocess
import sys

from service.engine.pool.core_waits import LIMIT_FACTOR, CoreWaits, is_over, is_ready
from tests.waiting import wait_until

LIMIT_S = 60.0
STEP_S = 0.05


def ended_after(share: float, *, ready: bool) -> float:
    """Seconds after which a child ends that gets this share of a core."""
    waits, now_s = CoreWaits(), 0.0
    while True:
        if is_over(now_s, waits.waited_s(now_s, now_s * share, ready), LIMIT_S):
            return now_s
        now_s += STEP_S


def test_a_child_that_computes_without_others_has_its_limit() -> None:
    assert LIMIT_S < ended_after(1.0, ready=True) < LIMIT_S + 0.2


def test_a_child_with_a_quarter_of_a_core_has_four_times_as_long() -> None:
    assert 4 * LIMIT_S < ended_after(0.25, ready=True) < 4 * LIMIT_S + 1


def test_a_child_that_never_gets_a_core_ends() -> None:
    assert LIMIT_FACTOR * LIMIT_S < ended_after(0.0, ready=True) < LIMIT_FACTOR * LIMIT_S + 0.2


def test_a_child_that_sleeps_has_its_limit() -> None:
    assert LIMIT_S < ended_after(0.0, ready=False) < LIMIT_S + 0.2


def test_a_process_is_ready_while_one_of_its_threads_computes() -> None:
    code = """
import sys, threading
sys.stdin.readline()
def compute():
    while True:
        pass
threading.Thread(target=compute, daemon=True).start()
sys.stdin.readline()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        wait_until(lambda: not is_ready(process.pid))
        process.stdin.write("\n")
        process.stdin.flush()
        wait_until(lambda: is_ready(process.pid))
        process.kill()
    assert not is_ready(process.pid)
    assert is_ready(os.getpid())
