"""`Totals`: what the ledger says of a span, in the forms that pages, the API and files show."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.monitoring.fairness.moment import Charge

US = 1_000_000


@dataclass(frozen=True)
class Pair:
    """Time that `waiter` waited while slots ran jobs of `holder`, by job type of these. Microseconds."""

    waiter: str
    holder: str
    types: Mapping[str, int]

    @property
    def us(self) -> int:
        """The whole."""
        return sum(self.types.values())

    @property
    def ms(self) -> float:
        """The whole in ms."""
        return self.us / 1000


@dataclass
class OwnerWait:
    """Waiting of one owner, in microseconds; None of the owner: all that are not listed by name."""

    owner: str | None
    others: int = 0
    """For jobs of other owners."""
    itself: int = 0
    apart: Counter[str] = field(default_factory=Counter)
    """For no owner, by Reason."""
    caused: int = 0
    """Others waited so long for this owner's jobs, added up over them."""

    @property
    def waited(self) -> int:
        """The whole: `others`, `itself` and `apart` add up to it."""
        return self.others + self.itself + sum(self.apart.values())


@dataclass(frozen=True)
class Totals:
    """Amounts of a span, of one queue or several."""

    amounts: Mapping[Charge, int] = field(default_factory=dict)

    @property
    def seen_us(self) -> int:
        """Time in which the queue was watched."""
        return self.amounts.get(Charge(None, "", "seen"), 0)

    @property
    def unread_us(self) -> int:
        """Time in which owners may have waited unseen."""
        return self.amounts.get(Charge(None, "", "unread"), 0)

    def pairs(self) -> Sequence[Pair]:
        """Pairs of a waiting owner and one whose jobs ran, the longest wait first."""
        found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for charge, us in self.amounts.items():
            if charge.waiter and charge.holder and charge.waiter != charge.holder:
                found[charge.waiter, charge.holder][charge.what] += us
        pairs = [Pair(waiter, holder, dict(types.most_common())) for (waiter, holder), types in found.items()]
        return sorted(pairs, key=lambda pair: (-pair.us, pair.waiter, pair.holder))

    def owners(self) -> Sequence[OwnerWait]:
        """A row for each owner that is listed by name, who waited longest for others first; what has no name comes last."""
        rows: dict[str | None, OwnerWait] = {}

        def row(owner: str | None) -> OwnerWait:
            return rows.setdefault(owner, OwnerWait(owner))

        for charge, us in self.amounts.items():
            if charge.holder == "":
                if charge.what not in ("seen", "unread"):
                    row(charge.waiter).apart[charge.what] += us
            elif charge.waiter is None and charge.what != "itself":
                row(None).others += us
            elif charge.waiter == charge.holder:
                row(charge.waiter).itself += us
            else:
                row(charge.waiter).others += us
                row(charge.holder).caused += us
        return sorted(rows.values(), key=lambda one: (one.owner is None, -one.others, -one.caused, one.owner or ""))

    def owner(self, name: str | None) -> OwnerWait:
        """The row of one owner; None: of those that are not listed by name."""
        return next((row for row in self.owners() if row.owner == name), OwnerWait(name))


def added(totals: Sequence[Totals]) -> Totals:
    """Totals over several queues."""
    amounts: Counter[Charge] = Counter()
    for one in totals:
        amounts.update(one.amounts)
    return Totals(amounts)
