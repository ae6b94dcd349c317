"""`AlertMails`: queues the messages to alert addresses, and gives them to their task."""

from collections.abc import Sequence
from datetime import timedelta

from service.database import AlertMail
from service.engine.enqueuer import Enqueuer
from service.engine.preparation import KEY_HOLDS_S
from service.engine.store.script_inputs import Idem, NewJob
from service.monitoring.owner_alerts.letters import Letters
from service.monitoring.owner_alerts.rows import AlertRows
from tasks.owner_alert import OwnerAlert, owner_alert
from tasks.ports.owner_alerts import AlertLetter

OWNER = "owner-alerts"
"""Owner of the jobs that send: they are the installation's work, and count for no owner's plan."""

OVERDUE = timedelta(minutes=10)
"""A message that is not settled by then may have no job: the process died before it was queued, or the queue server's data
are lost. Queueing it once more is nothing where there is one."""


class AlertMails:
    """Implements tasks.ports.owner_alerts.OwnerAlertMails."""

    def __init__(self, rows: AlertRows, letters: Letters, enqueuer: Enqueuer) -> None:
        self.rows = rows
        self.letters = letters
        self.enqueuer = enqueuer

    async def letter(self, mail_id: str) -> AlertLetter | None:
        """A message that is to be sent; None where it is settled, or its reader wants none any more."""
        found = await self.rows.mail(mail_id)
        return self.letters.write(*found) if found else None

    async def settle(self, mail_id: str, outcome: str) -> None:
        """Note its outcome; the first one stays."""
        await self.rows.settle(mail_id, outcome)

    async def queue(self, mails: Sequence[AlertMail]) -> None:
        """Queue the jobs of messages that are kept, each only once."""
        if mails:
            # No bound on how many wait: what would be refused here would be lost.
            await self.enqueuer.store.queued([await self._request(mail.mail_id) for mail in mails])

    async def requeue(self) -> None:
        """Queue the jobs of messages that are overdue, where they have none."""
        await self.queue(await self.rows.unsettled(OVERDUE))

    async def _request(self, mail_id: str) -> NewJob:
        request = await self.enqueuer.request(owner_alert, OwnerAlert(mail_id=mail_id), owner=OWNER)
        request.idem = Idem(mail_id, mail_id, KEY_HOLDS_S)
        return request
