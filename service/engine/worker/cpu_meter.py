"""`CpuMeter`: CPU time of one attempt: its task on the worker's loop, its children in the pool, and its programs."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class CpuMeter:
    """Adds up CPU seconds as they are spent. What a task does in threads of its own is not seen."""

    def __init__(self) -> None:
        self._loop_ns = 0
        self._ended_s = 0.0
        self._running: dict[object, float] = {}

    @property
    def ms(self) -> int:
        """Milliseconds so far, of what still runs too."""
        seconds = self._ended_s + sum(self._running.values())
        return round(seconds * 1000 + self._loop_ns / 1_000_000)

    @contextlib.contextmanager
    def part(self) -> Iterator[Callable[[float], None]]:
        """Something that runs outside this process: the block is given what takes its CPU seconds so far."""
        mark = object()
        self._running[mark] = 0.0

        def spent(seconds: float) -> None:
            # One that is reported after its end (a child that is being killed) is not counted twice.
            if mark in self._running:
                self._running[mark] = max(self._running[mark], seconds)

        try:
            yield spent
        finally:
            self._ended_s += self._running.pop(mark)

    def metered(self, task: Awaitable[T]) -> "Metered[T]":
        """The task, to be awaited: the time of each of its steps on the loop is counted."""
        return Metered(self, task)

    def step(self, nanoseconds: int) -> None:
        """Count a step on the loop."""
        self._loop_ns += nanoseconds


class Metered(Generic[T]):
    """Awaits a coroutine and measures each step that it takes between two waits."""

    def __init__(self, meter: CpuMeter, task: Awaitable[T]) -> None:
        self.meter, self.task = meter, task

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self.task.__await__()
        resume, given = steps.send, None
        while True:
            begun_ns = time.thread_time_ns()
            try:
                waits_for = resume(given)
            except StopIteration as end:
                result: T = end.value
                return result
            finally:
                self.meter.step(time.thread_time_ns() - begun_ns)
            try:
                resume, given = steps.send, (yield waits_for)
            except BaseException as error:
                resume, given = steps.throw, error
