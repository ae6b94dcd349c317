"""`offload up`: the whole product in one terminal."""

import asyncio
import signal
import sys
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from service.cli.client import CliError, open_api
from service.cli.log_lines import LogLines, fall_silent
from service.cli.ocr import read_text
from service.supervisor.stack import Stack
from settings import Settings

IMPATIENT_S = 1.0
"""A second SIGINT so much later is a person's second Ctrl-C; a sooner one is the first, passed on by make."""


async def run_stack(settings: Settings, console: Console, sample: Path | None) -> int:
    """Run everything until a signal comes; returns the exit code."""
    stop = _stop_on_signals()
    async with Stack(settings, LogLines(console)) as stack:
        greeting = asyncio.create_task(_greet(stack, settings, console, sample))
        enders = [asyncio.create_task(event.wait()) for event in (stop, stack.gave_up)]
        await asyncio.wait(enders, return_when=asyncio.FIRST_COMPLETED)
        console.print("Stopping: workers finish their jobs or return them to the queue.")
        for task in (greeting, *enders):
            task.cancel()
        await asyncio.wait([greeting])
    console.print("Stopped.")
    return 1 if stack.gave_up.is_set() else 0


def _stop_on_signals() -> asyncio.Event:
    """An event set by SIGINT, SIGTERM or SIGHUP. A second Ctrl-C ends this process, and so every child, at once."""
    stop = asyncio.Event()
    first = 0.0
    loop = asyncio.get_running_loop()

    def handle(number: signal.Signals) -> None:
        nonlocal first
        if stop.is_set() and time.monotonic() - first > IMPATIENT_S and number is signal.SIGINT:
            signal.raise_signal(signal.SIGKILL)
        if number is signal.SIGHUP and in_terminal:
            fall_silent()
        if not stop.is_set():
            first = time.monotonic()
            stop.set()

    in_terminal = sys.stdout.isatty()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup has SIGHUP ignored, and means it.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, handle, number)
    return stop


async def _greet(stack: Stack, settings: Settings, console: Console, sample: Path | None) -> None:
    """When all is ready, say where and for whom; then show the main job at work."""
    await stack.ready()
    for line in greeting(settings):
        console.print(Text(line), soft_wrap=True)
    if sample:
        stopped = threading.Event()
        try:
            await asyncio.to_thread(_show_sample, settings, console, sample, stopped)
        finally:
            stopped.set()


def greeting(settings: Settings) -> list[str]:
    """Addresses, and the credentials that were generated. Those an operator gave are not repeated into a log."""
    lines = ["", "Offload is ready.", f"  Dashboard  {settings.web_url}/admin/queues"]
    if settings.given_dashboard_users is None:
        lines += [f"    {user.role:<9}{name} / {user.password}" for name, user in settings.dashboard_users.items()]
    else:
        lines += [f"    users: {', '.join(settings.dashboard_users)}, as set in OFFLOAD_DASHBOARD_USERS"]
    lines += [f"  API        {settings.web_url}/schema"]
    if settings.given_api_keys is None:
        lines += [
            f"    Authorization: Bearer {secret}   (owner {owner})" for secret, owner in settings.api_keys.items()
        ]
    else:
        lines += [f"    keys of: {', '.join(sorted(set(settings.api_keys.values())))}, as set in OFFLOAD_API_KEYS"]
    if settings.smtp_url is None:
        lines += [f"  Mail       caught in {settings.outbox_dir}"]
    return [*lines, f"  Data       {settings.data_dir}", "  Stop       Ctrl-C", ""]


def _show_sample(settings: Settings, console: Console, sample: Path, stopped: threading.Event) -> None:
    console.print(Text(f"A scanned sample, {sample.name}, through OCR:"), soft_wrap=True)
    try:
        with open_api(settings, None, None) as api:
            text = read_text(api, sample, "high", console, stopped)
    except CliError as error:
        if not stopped.is_set():
            console.print(Text(str(error)), soft_wrap=True)
        return
    console.print(Text(f"{len(text.split())} words read. It begins:"))
    console.print(Text(text[:400].strip() + " …"), style="dim", soft_wrap=True)
