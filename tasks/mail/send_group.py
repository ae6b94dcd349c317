"""Sending a group of deliveries: the work of a campaign's parts, and of a campaign itself for those its parts left."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tasks.mail.render import messages
from tasks.mail.template import Problem, Source
from tasks.ports.mail import Campaigns, Deliveries, Mailer, MailServerAway, Outstanding
from tasks.sdk import Meter, RetryLater, Run

METER = Meter("Sending... {done} of {total} emails sent", "emails_sent", "total_emails", high=98)

SHORT_WAIT_S = 60.0
"""Waits below it are greylisting and the like; of longer ones the number of tries and the next one are shown."""

AT_ONCE = 5
"""Messages of one group under way: as many as the mailer has connections, so that a single group can use them all."""

RENDER_TIMEOUT_S = 60.0
"""For fifty messages that take a fifth of a second unless their template needs much more."""


class Recipient(Protocol):
    """The part of a letter that sending takes."""

    @property
    def position(self) -> int: ...

    @property
    def address(self) -> str: ...


Written = Iterator[tuple[Recipient, bytes | Problem]]
"""Messages as they are to be sent, or the reason why there is none."""


async def deliver_letters(run: Run, campaign_id: str, source: Source, positions: Sequence[int]) -> None:
    """`deliver` messages that a template makes for users."""

    async def write(due: Sequence[int]) -> Written:
        letters = await run.use(Campaigns).letters(campaign_id, due)
        if not letters:
            return iter(())
        written = await run.cpu(messages, source, letters, run.use(Mailer).sender, timeout_s=RENDER_TIMEOUT_S)
        return iter(list(zip(letters, written, strict=True)))

    await deliver(run, campaign_id, positions, write)


async def deliver(
    run: Run, campaign_id: str, positions: Sequence[int], write: Callable[[Sequence[int]], Awaitable[Written]]
) -> None:
    """Send what of `positions` can be sent. Raises RetryLater while anything of them has to wait.

    `write` makes the messages to the positions that are due.

    A server's reply to one message concerns that delivery alone and is recorded there; only a server that takes no
    messages at all ends the group, and what was settled by then stays settled.
    """
    deliveries, mailer = run.use(Deliveries), run.use(Mailer)
    due = await deliveries.due(campaign_id, positions)
    left = await deliveries.outstanding(campaign_id, positions)
    progress = Progress(run, len(positions), len(positions) - left.count)
    if due:
        # Before any message is written: an absence of hours must not cost the work of writing them each minute.
        await _unless_away(mailer.check())
        await _send_all(run, campaign_id, await write(due), progress)
        await mailer.settled()
    left = await deliveries.outstanding(campaign_id, positions)
    await progress.settle(len(positions) - left.count)
    if left.count:
        raise RetryLater(max(0.1, left.wait_s), _waiting(left))


def _waiting(left: Outstanding) -> str:
    """Reason of waiting, number of tries, and time of the next one."""
    noun = "recipient" if left.count == 1 else "recipients"
    words = f"{left.count:,} {noun} to try again: {left.reason}"
    if left.wait_s < SHORT_WAIT_S:
        return words
    tries = "1 try" if left.tries == 1 else f"{left.tries} tries"
    due = datetime.now(UTC) + timedelta(seconds=left.wait_s)
    return f"{words} ({tries} so far, the next at {due:%Y-%m-%d %H:%M} UTC)"


async def _unless_away(work: Awaitable[None]) -> None:
    """Await `work`; raises RetryLater where the mail server is absent."""
    try:
        await work
    except MailServerAway as error:
        raise RetryLater(error.retry_s, str(error)) from None


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


async def _send_all(run: Run, campaign_id: str, written: Written, progress: Progress) -> None:
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
        away: list[MailServerAway] = []
        others: list[BaseException] = []
        for error in _leaves(errors):
            if isinstance(error, MailServerAway):
                away.append(error)
            else:
                others.append(error)
        if others:
            raise others[0] from None
        # What was settled by then counts, and is counted before the attempt ends.
        await run.use(Mailer).settled()
        raise RetryLater(away[0].retry_s, str(away[0])) from None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
