"""A public job type that writes each of its runs to a ledger outside the queue server."""

import asyncio
import os
from pathlib import Path

from settings.queues import Queue
from tasks.sdk.declaring import job
from tasks.sdk.run import Run
from tasks.sdk.types import Payload

LEDGER = Path(os.environ.get("PRODUCTION_LEDGER", os.devnull))


NEWER = os.environ.get("PRODUCTION_RELEASE") == "newer"
"""Whether this process is of a release that has added a field."""


class OldNap(Payload):
    nap_s: float = 0.0


class NewNap(OldNap):
    colour: str = "red"


Nap = NewNap if NEWER else OldNap


@job(queue=Queue.THUMBNAILS, retries=2, backoff_s=2.0)
async def nap(payload: Nap, run: Run) -> str:
    """Sleeps for a while."""
    await asyncio.sleep(payload.nap_s)
    _write(f"done {run.job_id}\n")
    return "rested"


class Stumble(Payload):
    times: int = 1


@job(queue=Queue.THUMBNAILS, retries=2, backoff_s=2.0)
async def stumble(payload: Stumble, run: Run) -> str:
    """Fails as often as asked for."""
    _write(f"begun {run.job_id}\n")
    if run.attempt <= payload.times:
        raise ValueError("stumbled")
    _write(f"done {run.job_id}\n")
    return "arrived"


def _write(line: str) -> None:
    # One write of a whole line survives a kill -9 of its writer.
    descriptor = os.open(LEDGER, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, line.encode())
    os.close(descriptor)
