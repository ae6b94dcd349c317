"""The web application on loopback, in this very process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from litestar import Litestar

from tests.waiting import LIMIT_S, wait_until_async


class PromptServer(uvicorn.Server):
    """uvicorn without its pauses, a fifth of a second for each test: it stops when told to, and at once where no one is
    connected."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopped = asyncio.Event()

    async def main_loop(self) -> None:
        # It writes the date that answers carry.
        await self.on_tick(0)
        await self.stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for _ in range(20):
            if not self.server_state.connections and not self.server_state.tasks:
                break
            # Clients have closed their connections; the loop's next turns tell the server.
            await asyncio.sleep(0.001)
        else:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()


@asynccontextmanager
async def served_at(app: Litestar) -> AsyncIterator[str]:
    """The address where the application is served, with its services open, until the end."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="warning", server_header=False, timeout_graceful_shutdown=5
    )
    server = PromptServer(config)
    running = asyncio.create_task(server.serve())
    await wait_until_async(lambda: server.started or running.done())
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.stopped.set()
        await asyncio.wait_for(running, LIMIT_S)
