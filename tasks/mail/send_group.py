"""Sending a group of deliveries: what a campaign's parts do, and a campaign itself with what its parts left."""

import asyncio
from collections.abc import Iterator, Sequence

from tasks.mail.render import Letter, messages
from tasks.mail.template import Problem, Source
from tasks.ports.mail import Campaigns, Deliveries, Mailer, MailServerAway
from tasks.sdk import Meter, RetryLater, Run

METER = Meter("Sending... {done} of {total} emails sent", "emails_sent", "total_emails", high=98)

AT_ONCE = 5
"""Messages of one group under way: as many as the mailer has connections, so that a single group can use them all."""

RENDER_TIMEOUT_S = 60.0
"""For fifty messages that take a fifth of a second unless their template is up to something."""

AWAY_S = 10.0
"""Before a group is taken up again when the mail server could not be reached: it costs no attempt, so an outage of hours
costs nothing but hours."""


async def deliver(run: Run, campaign_id: str, source: Source, positions: Sequence[int]) -> None:
    """Send what of `positions` can be sent. Raises RetryLater while anything of them has to wait.

    Whatever a server says to one message is that delivery's affair and recorded there; only a server that takes no
    messages at all ends the group, and what was settled by then stays settled.
    """
    deliveries = run.use(Deliveries)
    due = await deliveries.due(campaign_id, positions)
    left = await deliveries.outstanding(campaign_id, positions)
    progress = Progress(run, len(positions), len(positions) - left.count)
    letters = await run.use(Campaigns).letters(campaign_id, due) if due else []
    if letters:
        sender = run.use(Mailer).sender
        written = await run.cpu(messages, source, letters, sender, timeout_s=RENDER_TIMEOUT_S)
        await _send_all(run, campaign_id, iter(list(zip(letters, written, strict=True))), progress)
        await run.use(Mailer).settled()
    left = await deliveries.outstanding(campaign_id, positions)
    await progress.settle(len(positions) - left.count)
    if left.count:
        noun = "recipient" if left.count == 1 else "recipients"
        raise RetryLater(max(0.1, left.wait_s), f"{left.count:,} {noun} to try again: {left.reason}")


class Progress:
    """Counts settled deliveries of a group."""

    def __init__(self, run: Run, total: int, done: int) -> None:
        self._run = run
        self._total = total
        self._done = done

    async def one_more(self) -> None:
        await self.settle(self._done + 1)

    async def settle(self, done: int) -> None:
        self._done = done
        await self._run.progress(done, self._total, METER)


async def _send_all(
    run: Run, campaign_id: str, written: Iterator[tuple[Letter, bytes | Problem]], progress: Progress
) -> None:
    async def send_in_turn() -> None:
        for letter, content in written:
            if isinstance(content, Problem):
                await run.use(Deliveries).unsendable(campaign_id, letter.position, content.sentence)
            else:
                await run.use(Mailer).send(campaign_id, letter.position, letter.address, content)
            await progress.one_more()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(send_in_turn())
    except BaseExceptionGroup as errors:
        # The first error that is not the server's absence ends the attempt under its own name.
        leaves = list(_leaves(errors))
        grave = next((error for error in leaves if not isinstance(error, MailServerAway)), None)
        raise grave or RetryLater(AWAY_S, str(leaves[0])) from None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
