"""Readiness: whether each part that the service needs can be used, and in some words why not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from service.engine.redis.retry import refusal
from service.lib.outages import outage_of

CHECK_TIMEOUT_S = 3
"""Below the 5 s after which common probes give up, so that the answer names the part that hangs."""

OK = "ok"


class Readiness:
    """Checks of the parts by name. Each raises what keeps its part from being used."""

    def __init__(self, parts: Mapping[str, Callable[[], Awaitable[Any]]]) -> None:
        self.parts = parts

    async def checks(self) -> dict[str, str]:
        """State of each part: "ok", or why not. Never an error's own text: it may hold an address or a path."""
        answers = await asyncio.gather(*(_checked(check) for check in self.parts.values()))
        return dict(zip(self.parts, answers, strict=True))


async def _checked(check: Callable[[], Awaitable[Any]]) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S} s"
    except Exception as error:  # any reason that keeps a part from answering is the answer
        if why := refusal(error):
            return f"takes no new jobs: {why}"
        outage = outage_of(error)
        return f"does not work: {outage.why if outage else type(error).__name__}"
    return OK
