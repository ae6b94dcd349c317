"""Time of the scripts, for tests that step it: the shipped texts, which read the time from a key in the place of TIME."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from service.engine.redis.client import Client
from service.engine.store import scripts
from service.engine.store.scripts import Script

KEY = "test:clock"
SERVERS, TESTS = "redis.call('TIME')", f"redis.call('HMGET', '{KEY}', 's', 'us')"
START_MS = 1_700_000_000_000
"""A round time long ago: nothing depends on when the test runs."""


@contextmanager
def stepped(replaced: tuple[str, str] | None = None) -> Iterator[None]:
    """The scripts go by the key's time. With `replaced` they also have a fault: that text for the other, in all that have it."""
    shipped = {script: (script.text, script.sha) for script in vars(scripts).values() if isinstance(script, Script)}
    for script in shipped:
        assert script.text.count(SERVERS) == 1, "a script reads the server's clock once"
        text = script.text.replace(SERVERS, TESTS)
        script.text = text.replace(*replaced) if replaced else text
        script.sha = hashlib.sha1(script.text.encode(), usedforsecurity=False).hexdigest()
    try:
        if replaced:
            assert any(replaced[1] in script.text for script in shipped), f"no script has {replaced[0]}"
        yield
    finally:
        for script, (text, sha) in shipped.items():
            script.text, script.sha = text, sha


async def set_clock(redis: Client, now_ms: int) -> None:
    """The scripts' time from now on."""
    await redis.hset(KEY, mapping={"s": now_ms // 1000, "us": now_ms % 1000 * 1000})
