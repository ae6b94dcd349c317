"""The whole product on one machine: queue server, mail catcher, web application, a worker for each queue, watch folder.

Started in the order in which they need each other, kept running, and stopped in the reverse order. However this process
ends, kill -9 included, none of them stays behind.
"""

import asyncio
import contextlib
import os
import socket
import sys
import time
from types import TracebackType
from typing import Self

import httpx

from service.lib.ports import free_port
from service.supervisor.child import BACKOFF_MAX_S, BACKOFF_MIN_S, HEALTHY_S, Child, Report
from service.supervisor.valkey import EmbeddedValkey, ServerError
from settings import Queue, Settings
from settings.private_files import private_folder, write_private


def worker_classes() -> dict[str, str]:
    """The worker of each queue, as the stock command starts it."""
    return {str(queue): f"tasks.workers.{queue.worker_class}" for queue in Queue}


GRACE_S = 5
"""For a worker to finish its jobs, unless the operator sets another: the operator who presses Ctrl-C waits for it, and what does
not finish is returned with its checkpoint, nothing lost."""

MARGIN_S = 10.0
"""On top, for returning jobs and closing: only a child that is stuck is ever killed."""

WEB_GRACE_S = 3
"""Seconds uvicorn waits for open requests: an event stream would hold it forever."""

FALSE_STARTS = 5
"""Ends of one child before the stack was ever ready that make us give up: a repair must come from outside."""

POLL_S = 0.2
"""Between two looks at the queue server and at /health/ready."""


class Stack:
    """Every process of the product, as an async context manager: all started on entry, all gone on exit."""

    def __init__(self, settings: Settings, report: Report) -> None:
        self.settings = settings
        self.gave_up = asyncio.Event()
        """Set when a child keeps ending before the stack was ready."""
        self._report = report
        self._ready = False
        self._valkey: EmbeddedValkey | None = None
        self._valkey_keeper: asyncio.Task[None] | None = None
        self._mail: list[Child] = []
        self._fronts: list[Child] = []
        self._env = {
            "OFFLOAD_GRACE_S": str(GRACE_S),
            **os.environ,
            "OFFLOAD_DATA_DIR": str(settings.data_dir),
            "PYTHONUNBUFFERED": "1",
        }
        self._grace_s = float(self._env["OFFLOAD_GRACE_S"]) + MARGIN_S

    async def __aenter__(self) -> Self:
        check_port_free(self.settings.host, self.settings.port)
        private_folder(self.settings.data_dir)
        try:
            await self._start_valkey()
        except ServerError as error:
            raise SystemExit(str(error)) from None
        self._start_mail_catcher()
        self._fronts = [self._child("web", self._web_command())]
        self._fronts += [self._child(queue, python("arq", settings)) for queue, settings in worker_classes().items()]
        if self.settings.watch_dir:
            # Its key must be there when it looks for it.
            _ = self.settings.api_keys
            self._fronts.append(self._child("watch", python("service.cli.main", "watch")))
        return self

    async def ready(self) -> None:
        """Return once the web application says that it and all it needs are ready."""
        async with httpx.AsyncClient(base_url=self.settings.web_url, trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/health/ready")).status_code == httpx.codes.OK:
                        self._ready = True
                        return
                await asyncio.sleep(POLL_S)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Those that use the queue server and the mail catcher first, so that they can still record what they did.
        await asyncio.gather(*(child.stop(self._grace_s) for child in self._fronts))
        await asyncio.gather(*(child.stop(self._grace_s) for child in self._mail))
        await self._stop_valkey()

    async def _start_valkey(self) -> None:
        if self.settings.redis_url:
            return
        self._valkey = EmbeddedValkey(self.settings.queue_dir)
        await self._valkey.start_async()
        self._report("valkey", f"serving on 127.0.0.1:{self._valkey.port}, its log in {self.settings.queue_dir}")
        self._env["OFFLOAD_REDIS_URL"] = self._valkey.url
        write_private(self.settings.redis_url_file, self._valkey.url + "\n")
        self._valkey_keeper = asyncio.create_task(self._keep_valkey(self._valkey), name="child valkey")

    async def _keep_valkey(self, valkey: EmbeddedValkey) -> None:
        """Start the queue server again whenever it ends, on its port and over its log.

        On a full disk it starts, and ends at its first write: like any other child it must not be started in a loop.
        """
        backoff_s, started = BACKOFF_MIN_S, time.monotonic()
        while True:
            await asyncio.sleep(POLL_S)
            code = valkey.exit_code()
            if code is None:
                continue
            if time.monotonic() - started > HEALTHY_S:
                backoff_s = BACKOFF_MIN_S
            reason = valkey.last_words()
            self._report(
                "valkey", f"ended with code {code}{f' ({reason})' if reason else ''}; again in {backoff_s:.1f} s"
            )
            await asyncio.sleep(backoff_s)
            backoff_s, started = min(2 * backoff_s, BACKOFF_MAX_S), time.monotonic()
            try:
                await valkey.start_async()
            except ServerError as error:
                self._report("valkey", str(error))

    async def _stop_valkey(self) -> None:
        if self._valkey is None or self._valkey_keeper is None:
            return
        self._valkey_keeper.cancel()
        await asyncio.wait([self._valkey_keeper])
        await asyncio.to_thread(self._valkey.stop)
        self.settings.redis_url_file.unlink(missing_ok=True)

    def _start_mail_catcher(self) -> None:
        if self.settings.smtp_url:
            return
        port = free_port()
        self._env["OFFLOAD_SMTP_URL"] = f"smtp://127.0.0.1:{port}"
        outbox = str(self.settings.outbox_dir)
        command = python("service.supervisor.mail_catcher", "--port", str(port), "--outbox", outbox)
        self._mail = [self._child("mail", command)]

    def _web_command(self) -> list[str]:
        address = ["--host", self.settings.host, "--port", str(self.settings.port)]
        # A line for each poll of each open page would bury what matters in one terminal.
        manners = ["--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", str(WEB_GRACE_S)]
        bounds = ["--http=service.lib.bounded_connection:BoundedConnection", "--ws-max-size=65536"]
        return python("uvicorn", "dashboard.app:create_app", "--factory", *address, *manners, *bounds)

    def _child(self, name: str, command: list[str]) -> Child:
        child = Child(name, command, self._env, self._report, self._count_end)
        child.start()
        return child

    def _count_end(self, child: Child) -> None:
        if not self._ready and child.ends >= FALSE_STARTS:
            self._report(child.name, f"has ended {child.ends} times before anything was ready: giving up")
            self.gave_up.set()


def python(module: str, *arguments: str) -> list[str]:
    """Command line that runs a module with this very interpreter, so with the same packages."""
    return [sys.executable, "-m", module, *arguments]


def check_port_free(host: str, port: int) -> None:
    """Raise SystemExit with one sentence where the web application could not listen."""
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(address[0], address[1]) as probe:
            # As uvicorn does, so that connections still closing do not count as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address[4])
    except OSError as error:
        raise SystemExit(
            f"Nothing can listen on {host}:{port} ({error.strerror}): set OFFLOAD_HOST or OFFLOAD_PORT."
        ) from None
