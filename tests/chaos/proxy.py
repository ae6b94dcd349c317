"""A small TCP proxy whose connections a test can cut, freeze or slow down."""

import asyncio
import contextlib


class Proxy:
    """Forwards from an address of this machine to a port of it."""

    def __init__(self, target_port: int, host: str = "127.0.0.1") -> None:
        self.target_port = target_port
        self.host = host
        self.flowed = 0
        """Bytes that went either way."""
        self.delay_s = 0.0
        """Pause after each 64 KiB."""
        self.writers: set[asyncio.StreamWriter] = set()
        self.serving = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> "Proxy":
        self.server = await asyncio.start_server(self._serve, self.host, 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.server is not None
        self.server.close()
        self.flowing.set()
        while self.serving:
            self.cut()
            await asyncio.sleep(0.01)

    def cut(self) -> None:
        """Tear every connection."""
        for writer in list(self.writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving += 1
        try:
            await self._forward(reader, writer)
        finally:
            self.serving -= 1

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, back}
        await asyncio.gather(self._pipe(reader, back), self._pipe(there, writer))
        self.writers -= {writer, back}

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self.flowing.wait()
                sink.write(data)
                await sink.drain()
                self.flowed += len(data)
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
        sink.transport.abort()
