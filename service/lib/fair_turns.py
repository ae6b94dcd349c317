"""Turns at something scarce, fair between those who ask: one owner's three hundred requests keep no other owner waiting."""

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

WHOSE: ContextVar[str] = ContextVar("whose", default="")
"""Owner or user on whose behalf this runs: set where a request is authenticated. Empty for the process's own work."""

GONE: ContextVar["Callable[[], Awaitable[object]] | None"] = ContextVar("gone", default=None)
"""Returns once the client of this request has gone away."""


class Abandoned(Exception):
    """The client went away before its turn was over."""

    def __init__(self) -> None:
        super().__init__("The client went away before its turn was over.")


class FairTurns:
    """At most `at_once` turns at a time, `each` of one owner; those who wait go by turns between owners."""

    def __init__(self, at_once: int, *, each: int | None = None) -> None:
        self._free = at_once
        self._each = each or at_once
        self._held: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def of(self, whose: str) -> AsyncIterator[None]:
        """Hold a turn within the block."""
        await self.enter(whose)
        try:
            yield
        finally:
            self.leave(whose)

    async def enter(self, whose: str) -> None:
        """Wait for a turn and take it. The process's own work has no bound but `at_once`."""
        if self._free and self._may(whose) and whose not in self._waiting:
            self._take(whose)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whose, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(whose)
            else:
                self._forget(whose, turn)
            raise

    def leave(self, whose: str) -> None:
        """Give the turn back."""
        self._free += 1
        self._held[whose] -= 1
        self._hand_on()

    def _may(self, whose: str) -> bool:
        return not whose or self._held[whose] < self._each

    def _take(self, whose: str) -> None:
        self._free -= 1
        self._held[whose] += 1

    def _hand_on(self) -> None:
        for whose in list(self._waiting):
            if not self._free:
                return
            if not self._may(whose):
                continue
            turns = self._waiting[whose]
            turn = turns.popleft()
            # Where many are cancelled at once, one that leaves finds others that have not run since: they take no turn.
            while turn.done() and turns:
                turn = turns.popleft()
            # An owner that has had a turn goes behind the others again.
            self._waiting.move_to_end(whose)
            if not turns:
                del self._waiting[whose]
            if not turn.done():
                self._take(whose)
                turn.set_result(None)

    def _forget(self, whose: str, turn: "asyncio.Future[None]") -> None:
        turns = self._waiting.get(whose)
        if turns is not None:
            with contextlib.suppress(ValueError):
                turns.remove(turn)
            if not turns:
                del self._waiting[whose]


async def unless_gone(work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when the request's client goes away. Raises Abandoned then."""
    gone = GONE.get()
    if gone is None:
        return await work
    task, leaving = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Abandoned
    finally:
        leaving.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
