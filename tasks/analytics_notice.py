"""Tells the operators by mail that the weekly analytics can be downloaded."""

from collections.abc import Callable

from settings.queues import Queue
from tasks.ports.mail import MailServerAway
from tasks.ports.reports import Operators
from tasks.ports.sentences import Sentences
from tasks.sdk import Payload, RetryLater, Run, job


class AnalyticsNotice(Payload, frozen=True):
    """`export` is the job whose file it is about; the days are its first and last, in UTC."""

    export: str
    first_day: str
    last_day: str
    rows: int


@job(queue=Queue.EMAIL_SENDER, public=False, expected_s=1.0)
async def analytics_notice(payload: AnalyticsNotice, run: Run) -> int:
    """Write to each operator once. The result is to how many."""
    operators = run.use(Operators)
    subject, text = await run.use(Sentences).in_language(operators.language, lambda shown: _written(payload, shown))
    text = f"{text}\n\n{operators.link(f'/admin/jobs/{payload.export}')}\n"
    for number, address in enumerate(operators.addresses):
        if await run.recall(f"told-{number}"):
            continue
        try:
            await operators.write(address, subject, text, reference=f"{payload.export}\n{address}")
        except MailServerAway as error:
            raise RetryLater(error.retry_s, str(error)) from None
        await run.keep(f"told-{number}", b"yes")
    return len(operators.addresses)


def _written(payload: AnalyticsNotice, shown: Callable[[str], str]) -> tuple[str, str]:
    """Subject and first line."""
    rows = f"{payload.rows:,} row" if payload.rows == 1 else f"{payload.rows:,} rows"
    return (
        shown(f"Metrics of {payload.first_day} to {payload.last_day} (UTC)"),
        shown(
            f"The metrics of {payload.first_day} to {payload.last_day} (UTC) are ready: {rows}, an hour and a job type in each."
        ),
    )
