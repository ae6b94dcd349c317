"""The transitions that each message makes, for many deliveries in one statement: a statement costs more than a row."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from service.database import Base, Suppression
from service.database.column_types import utc_now
from service.mail.smtp_replies import Verdict
from service.mail.suppression import suppress_after_bounces

DELIVERIES = Base.metadata.tables["deliveries"]
ROW = DELIVERIES.c


@dataclass(slots=True, frozen=True)
class Claim:
    """The right to send one delivery, once. `number` fences it."""

    campaign_id: str
    position: int
    number: int
    tries: int

    @property
    def key(self) -> str:
        """Its name in the journal."""
        return f"{self.campaign_id}/{self.position}/{self.number}"


@dataclass(slots=True, frozen=True)
class Wanted:
    """A delivery that somebody wants to send, under the name of a journal."""

    campaign_id: str
    position: int
    journal_id: str


@dataclass(slots=True, frozen=True)
class Settled:
    """What became of a claim."""

    claim: Claim
    verdict: Verdict


_SUPPRESSED = select(Suppression.address).where(Suppression.address == ROW.address).exists()
_AMONG = (ROW.campaign_id == bindparam("campaign")) & ROW.position.in_(bindparam("positions", expanding=True))

_CLAIM = (
    update(DELIVERIES)
    .where(_AMONG, ROW.status == "pending", ~_SUPPRESSED)
    .values(status="sending", claims=ROW.claims + 1, claimed_by=bindparam("journal"), changed_at=bindparam("now"))
    .returning(ROW.position, ROW.claims, ROW.tries)
)

_SUPPRESS = (
    update(DELIVERIES)
    .where(_AMONG, ROW.status == "pending", _SUPPRESSED)
    .values(
        status="suppressed",
        smtp_text=select(Suppression.reason).where(Suppression.address == ROW.address).scalar_subquery(),
        changed_at=bindparam("now"),
    )
)

_MINE: ColumnElement[bool] = (
    (ROW.campaign_id == bindparam("campaign"))
    & (ROW.position == bindparam("place"))
    & (ROW.claims == bindparam("number"))
    # Not IN: a statement that is run with many sets of values cannot have one.
    & ((ROW.status == "sending") | (ROW.status == "unknown"))
)

_SETTLE = (
    update(DELIVERIES)
    .where(_MINE)
    .values(
        status=bindparam("became"),
        smtp_code=bindparam("code"),
        smtp_text=bindparam("said"),
        tries=bindparam("tried"),
        due_at=bindparam("due"),
        changed_at=bindparam("now"),
    )
)
_SETTLE_BOUNCE = _SETTLE.returning(ROW.address)


def claim_many(connection: Connection, wanted: Sequence[Wanted]) -> list[Claim | None]:
    """Claim deliveries for sending: None for each that is no longer pending or whose address is suppressed by now."""
    groups: dict[tuple[str, str], set[int]] = defaultdict(set)
    for one in wanted:
        groups[one.campaign_id, one.journal_id].add(one.position)
    claims: dict[tuple[str, int], Claim] = {}
    for (campaign_id, journal_id), positions in groups.items():
        which = {"campaign": campaign_id, "positions": sorted(positions), "now": utc_now()}
        for row in connection.execute(_CLAIM, which | {"journal": journal_id}):
            claims[campaign_id, row.position] = Claim(campaign_id, *row)
            positions.discard(row.position)
        if positions:
            connection.execute(_SUPPRESS, which | {"positions": sorted(positions)})
    # Whoever asks twice for the same delivery gets it once.
    return [claims.pop((one.campaign_id, one.position), None) for one in wanted]


def settle_many(connection: Connection, settled: Sequence[Settled]) -> list[None]:
    """Write what became of claims. One that was fenced off meanwhile changes nothing."""
    plain = [_values(one) for one in settled if not one.verdict.about_recipient]
    if plain:
        connection.execute(_SETTLE, plain)
    for one in settled:
        if one.verdict.about_recipient:
            address = connection.scalar(_SETTLE_BOUNCE, _values(one))
            if address:
                suppress_after_bounces(connection, address)
    return [None] * len(settled)


def _values(one: Settled) -> dict[str, Any]:
    claim, verdict = one.claim, one.verdict
    return {
        "campaign": claim.campaign_id,
        "place": claim.position,
        "number": claim.number,
        "became": verdict.status,
        "code": verdict.code,
        "said": verdict.text,
        "tried": verdict.tries,
        "due": verdict.due_at,
        "now": utc_now(),
    }
