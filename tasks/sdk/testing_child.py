"""One function call in one fresh process, for `LocalRun`."""

import asyncio
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

from tasks.sdk.errors import ChildDied

T = TypeVar("T")


async def in_child(function: Callable[..., T], args: tuple[Any, ...], timeout_s: float | None) -> T:
    """Return `function(*args)` as a new process computes it, which ends with the call.

    Raises the function's own error, TimeoutError after `timeout_s`, or ChildDied.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(sender, function, args), daemon=True)
    try:
        await asyncio.to_thread(process.start)
        sender.close()
        succeeded, value = await asyncio.to_thread(_received, receiver, timeout_s)
    finally:
        if process.pid:
            process.kill()
            await asyncio.to_thread(process.join)
        receiver.close()
    if not succeeded:
        raise value
    return value


def _call(sender: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    # The time limit counts from here, as in a worker's pool: starting a process is not the function's time.
    sender.send(None)
    try:
        outcome: tuple[bool, Any] = (True, function(*args))
    except Exception as error:
        outcome = (False, error)
    sender.send(outcome)


def _received(receiver: Connection, timeout_s: float | None) -> tuple[bool, Any]:
    try:
        receiver.recv()
        if not receiver.poll(timeout_s):
            raise TimeoutError
        outcome: tuple[bool, Any] = receiver.recv()
    except EOFError:
        raise ChildDied("the process that ran it died") from None
    return outcome


class Pool(Protocol):
    """Runs functions in child processes."""

    async def run(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T: ...


class ChildPerCall:
    """A fresh process for each call: slow, and nothing is shared between two calls."""

    async def run(self, function: Callable[..., T], *args: Any, timeout_s: float | None = None) -> T:
        """Return `function(*args)`. Raises its error, TimeoutError or ChildDied."""
        return await in_child(function, args, timeout_s)
