"""Receivers by Apprise: mail, Microsoft Teams, Discord and a hundred more, each by a URL.

The URLs: https://github.com/caronc/apprise/wiki
"""

import asyncio
import importlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def others_of(urls: Sequence[str]) -> dict[str, str]:
    """Each URL by the name of its service, such as `discord`; a second one of a service is `discord-2`.

    Raises SystemExit with one sentence where an address is not one that Apprise knows. It holds secrets, and is not quoted.
    """
    found: dict[str, str] = {}
    services: Counter[str] = Counter()
    for number, url in enumerate(urls, start=1):
        receiver = _receiver(url)
        if receiver is None:
            raise SystemExit(
                f"OFFLOAD_ALERT_URLS: address {number} ({url.partition(':')[0][:20]}://…) is not one that Apprise can send to:"
                " see https://github.com/caronc/apprise/wiki."
            )
        service = str(receiver.service_name).lower().replace(" ", "-")
        services[service] += 1
        found[f"{service}-{services[service]}" if services[service] > 1 else service] = url
    return found


async def notified(url: str, body: Mapping[str, Any]) -> bool:
    """True where the receiver took the message `body` (title, body, notify_type). It has some seconds for it."""
    return bool(await asyncio.to_thread(lambda: _receiver(url).notify(**body)))


def _receiver(url: str) -> Any:
    # Its import takes a fifth of a second, which no process without such a receiver needs to spend.
    return importlib.import_module("apprise").Apprise.instantiate(url)
