"""Tells the operators by mail that the weekly analytics can be downloaded."""

from settings.queues import Queue
from tasks.ports.mail import MailServerAway
from tasks.ports.reports import Operators
from tasks.sdk import Payload, RetryLater, Run, job

TEXT = """The metrics of {first_day} to {last_day} are ready: {rows:,} rows, an hour and a job type in each.

{link}
"""


class AnalyticsNotice(Payload, frozen=True):
    """`export` is the job whose file it is about; the days are its first and last."""

    export: str
    first_day: str
    last_day: str
    rows: int


@job(queue=Queue.EMAIL_SENDER, public=False, expected_s=1.0)
async def analytics_notice(payload: AnalyticsNotice, run: Run) -> int:
    """Write to each operator once. The result is to how many."""
    operators = run.use(Operators)
    text = TEXT.format(
        first_day=payload.first_day,
        last_day=payload.last_day,
        rows=payload.rows,
        link=operators.link(f"/admin/jobs/{payload.export}"),
    )
    for number, address in enumerate(operators.addresses):
        if await run.recall(f"told-{number}"):
            continue
        try:
            subject = f"Metrics of {payload.first_day} to {payload.last_day}"
            await operators.write(address, subject, text, reference=f"{payload.export}\n{address}")
        except MailServerAway as error:
            raise RetryLater(error.retry_s, str(error)) from None
        await run.keep(f"told-{number}", b"yes")
    return len(operators.addresses)
