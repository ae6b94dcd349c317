"""Claims and settlements of many deliveries in one statement each: a statement costs more than a row."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from service.database import Base, Suppression
from service.database.column_types import utc_now
from service.database.usage import add_entries_by, entry, month_name
from service.mail.smtp_replies import DeliveryResult
from service.mail.suppression import suppress_after_bounces

DELIVERIES = Base.metadata.tables["deliveries"]
CAMPAIGNS = Base.metadata.tables["campaigns"]
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
    """A delivery to be sent, under the name of a journal."""

    campaign_id: str
    position: int
    journal_id: str


@dataclass(slots=True, frozen=True)
class Settled:
    """A claim and its result."""

    claim: Claim
    result: DeliveryResult


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
    & (ROW.position == bindparam("one_position"))
    & (ROW.claims == bindparam("number"))
    # Not IN: a statement that is run with many sets of values cannot have one.
    & ((ROW.status == "sending") | (ROW.status == "unknown"))
)

_SETTLE = (
    update(DELIVERIES)
    .where(_MINE)
    .values(
        status=bindparam("new_status"),
        smtp_code=bindparam("code"),
        smtp_text=bindparam("text"),
        tries=bindparam("new_tries"),
        due_at=bindparam("due"),
        address_refused=bindparam("refused"),
        changed_at=bindparam("now"),
    )
)
_OPEN = (
    select(ROW.position, ROW.claims, CAMPAIGNS.c.owner)
    .join(CAMPAIGNS, CAMPAIGNS.c.campaign_id == ROW.campaign_id)
    .where(_AMONG, ROW.status.in_(["sending", "unknown"]))
    # On SQLite the writer is alone.
    .with_for_update(of=DELIVERIES)
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
    # A delivery that is asked for twice is claimed once.
    return [claims.pop((one.campaign_id, one.position), None) for one in wanted]


def settle_many(connection: Connection, settled: Sequence[Settled]) -> list[None]:
    """Write the results of claims. One that was fenced off in the meantime changes nothing."""
    _meter(connection, [one.claim for one in settled if one.result.status == "sent"])
    plain = [_values(one) for one in settled if not one.result.about_address]
    if plain:
        connection.execute(_SETTLE, plain)
    for one in settled:
        if one.result.about_address:
            address = connection.scalar(_SETTLE_BOUNCE, _values(one))
            if address:
                suppress_after_bounces(connection, address)
    return [None] * len(settled)


def _meter(connection: Connection, sent: Sequence[Claim]) -> None:
    """Charge messages to their campaigns' owners, of the claims that are about to be settled and not fenced off."""
    claims: dict[str, dict[int, int]] = defaultdict(dict)
    for claim in sent:
        claims[claim.campaign_id][claim.position] = claim.number
    counted: Counter[str] = Counter()
    for campaign_id, numbers in claims.items():
        for row in connection.execute(_OPEN, {"campaign": campaign_id, "positions": sorted(numbers)}):
            counted[row.owner] += row.claims == numbers[row.position]
    month = month_name(utc_now())
    add_entries_by(connection, [entry(owner, month, "mails", number) for owner, number in counted.items() if number])


def _values(one: Settled) -> dict[str, Any]:
    claim, result = one.claim, one.result
    return {
        "campaign": claim.campaign_id,
        "one_position": claim.position,
        "number": claim.number,
        "new_status": result.status,
        "code": result.code,
        "text": result.text,
        "new_tries": result.tries,
        "due": result.due_at,
        "refused": result.about_address,
        "now": utc_now(),
    }
