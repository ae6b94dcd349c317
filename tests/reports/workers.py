"""`arq tests.reports.workers.<Queue>`: real workers that get kill -9 at a stage of the report of a certain recipient, once.

A report, or a mail, to read@example.com dies at the stage `read`, and so on. MARKS is a folder: a file says that it happened,
and a line of `sets` that a report was set.
"""

import os
import signal
from pathlib import Path
from typing import Any

from service.engine.worker.execution import Execution
from service.engine.worker.job_run import JobRun
from service.mail import mailer
from service.mail.delivery_updates import Claim
from tasks import workers

MARKS = Path(os.environ["MARKS"])


def die(stage: str, whose: str) -> None:
    """End this process as kill -9 does, where it is at the stage for the first time and the recipient is named like it."""
    if whose != f"{stage}@example.com":
        return
    try:
        (MARKS / stage).open("x").close()
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def recipient(run: JobRun) -> str:
    return str((run.job.payload.get("recipients") or [""])[0]) if run.job.type == "report-pdf" else ""


class Dying(JobRun):
    """A run that dies once what it did last is done."""

    async def cpu(self, function: Any, *args: Any, timeout_s: float | None = None) -> Any:
        if function.__name__ == "set_report":
            with (MARKS / "sets").open("a") as lines:
                lines.write(f"{recipient(self)}\n")
        result = await super().cpu(function, *args, timeout_s=timeout_s)
        if function.__name__ == "gather":
            die("read", recipient(self))
        return result

    async def keep(self, name: str, data: bytes) -> None:
        await super().keep(name, data)
        if name == "made":
            die("set", recipient(self))

    async def artefact(self, name: str, data: Any, media_type: str) -> None:
        await super().artefact(name, data, media_type)
        die("stored", recipient(self))

    async def then(self, job: Any, payload: Any, units: int = 0) -> str:
        chained = await super().then(job, payload, units)
        die("chained", recipient(self))
        return chained


record = Execution._record


async def recorded(self: Execution, outcome: Any) -> str:
    """The completion, with the job that mails, is written by now; no other job has begun here."""
    state = await record(self, outcome)
    if self.job.type == "report-pdf" and state == "completed":
        die("completed", str((self.job.payload.get("recipients") or [""])[0]))
    return state


transmit_message = mailer.SmtpMailer._transmit


async def transmit(self: mailer.SmtpMailer, client: Any, sending: mailer.Sending) -> Any:
    """The claim is written; then the message is sent, and its reply noted."""
    die("claimed", sending.address)
    record_reply = self._deliveries.record_reply

    def note(claim: Claim, reply: Any) -> None:
        die("sent", sending.address)
        record_reply(claim, reply)
        die("noted", sending.address)

    self._deliveries.record_reply = note  # type: ignore[method-assign]  # this is the change that the test makes
    try:
        return await transmit_message(self, client, sending)
    finally:
        self._deliveries.record_reply = record_reply  # type: ignore[method-assign]  # this is the change that the test makes


import service.engine.worker.execution as execution  # noqa: E402  # after what it is changed by

execution.JobRun = Dying  # type: ignore[misc]  # this is the change that the test makes
Execution._record = recorded  # type: ignore[method-assign]  # this is the change that the test makes
mailer.SmtpMailer._transmit = transmit  # type: ignore[method-assign]  # this is the change that the test makes

EmailSender = workers.EmailSender
CsvExport = workers.CsvExport
