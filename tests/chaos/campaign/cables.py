"""The way from each worker to the queue server, which can be cut: a network namespace where one can be made, and a proxy."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

from tests.chaos.proxy import Proxy
from tests.production.namespaces import Network


def _network(machines: int) -> Network | None:
    """A network of so many machines; None where this process may make none."""
    made = Network(machines)
    try:
        made.make()
    except (OSError, subprocess.CalledProcessError):
        with contextlib.suppress(OSError):
            made.remove()
        return None
    return made


class Cables:
    """A proxy for each worker's slot, and one for the web process, the last."""

    def __init__(self, proxies: Sequence[Proxy], network: Network | None) -> None:
        self.proxies = proxies
        self.network = network

    def url(self, slot: int) -> str:
        proxy = self.proxies[slot]
        return f"redis://{proxy.host}:{proxy.port}/0"

    def inside(self, slot: int) -> Sequence[str]:
        """Beginning of the command line of what is to run at the slot."""
        return ["ip", "netns", "exec", self.network.names[slot]] if self.network else []

    def cut(self, slot: int) -> None:
        """Let nothing through, in silence: no side learns of it but by waiting."""
        if self.network:
            self.network.cut(slot)
        else:
            self.proxies[slot].flowing.clear()

    def join(self, slot: int) -> None:
        if self.network:
            self.network.join(slot)
        else:
            self.proxies[slot].flowing.set()

    def lead_to(self, port: int) -> None:
        """Lead every further connection to another server, and tear those that are there."""
        for proxy in self.proxies:
            proxy.target_port = port
            proxy.cut()

    @contextlib.asynccontextmanager
    async def stalled(self) -> AsyncIterator[None]:
        """Nothing flows within the block, over any of them."""
        for proxy in self.proxies:
            proxy.flowing.clear()
        try:
            yield
        finally:
            for proxy in self.proxies:
                proxy.flowing.set()


@contextlib.asynccontextmanager
async def cables(slots: int, port: int) -> AsyncIterator[Cables]:
    """Ways for as many workers and a web process to the server at `port`, which are gone afterwards."""
    network = await asyncio.to_thread(_network, slots)
    try:
        async with AsyncExitStack() as stack:
            far = network.address if network else "127.0.0.1"
            hosts = [far] * slots + ["127.0.0.1"]
            yield Cables([await stack.enter_async_context(Proxy(port, host)) for host in hosts], network)
    finally:
        if network:
            await asyncio.to_thread(network.remove)
