"""Port of reports: figures of days and weeks, and someone to tell."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import msgspec


class DayLine(msgspec.Struct, frozen=True):
    """One queue's day: completed jobs, and the pages, rows or messages in them."""

    queue: str
    jobs: int
    units: int


class Reports(Protocol):
    """Figures of the whole installation, without personal data."""

    async def day(self, day: date) -> Sequence[DayLine]:
        """Work completed on a day (UTC), queue by queue."""
        ...

    async def post_week(self, first_day: date) -> str:
        """Give the report of the week that began on a Monday to Slack's outbox, once. Returns in words what was done."""
        ...


class Operators(Protocol):
    """The people who run this installation."""

    @property
    def addresses(self) -> Sequence[str]:
        """Their mail addresses."""
        ...

    @property
    def language(self) -> str:
        """Code of the language in which messages to them are written."""
        ...

    def link(self, path: str) -> str:
        """A page of the dashboard as they reach it."""
        ...

    async def write(self, address: str, subject: str, text: str, reference: str) -> None:
        """Send one message, within the rate of the e-mail queue. Raises MailServerAway.

        The same `reference` gives the same Message-ID, so that a receiver can tell a repetition.
        """
        ...
