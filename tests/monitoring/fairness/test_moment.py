"""Charges of a moment, against a model that looks at every slot at every microsecond."""

from collections import Counter
from collections.abc import Mapping

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.monitoring.fairness import Charge, Moment, Reason, Totals, charges
from service.monitoring.fairness.ledger import bounded

OWNERS = st.sampled_from(["acme", "globex", "initech"])
MOMENTS = st.builds(
    Moment,
    waiting=st.frozensets(OWNERS),
    limited=st.frozensets(OWNERS),
    running=st.lists(st.tuples(OWNERS, st.sampled_from(["a", "b"])), max_size=5),
    slots=st.integers(0, 6),
    held=st.sampled_from([None, None, Reason.PAUSED, Reason.BREAKER]),
)
HISTORIES = st.lists(st.tuples(MOMENTS, st.integers(1, 10_000)), max_size=12)


def of_history(history: list[tuple[Moment, int]]) -> Counter[Charge]:
    """The ledger of states that follow on each other, each with its length."""
    amounts: Counter[Charge] = Counter()
    for moment, span_us in history:
        for charge, amount in charges(moment, span_us):
            amounts[charge] += amount
    return amounts


def by_brute_force(history: list[tuple[Moment, int]]) -> Mapping[tuple[str, str], float]:
    """Waits of owners for each other, by asking each slot in each microsecond."""
    found: Counter[tuple[str, str]] = Counter()
    for moment, span_us in history:
        for waiter in ("acme", "globex", "initech"):
            for _ in range(span_us):
                if moment.held or (waiter not in moment.waiting and waiter not in moment.limited):
                    break
                if waiter not in moment.waiting:
                    break
                slots = [*moment.running, *[("", "")] * (moment.slots - len(moment.running))]
                for holder, _type in slots:
                    found[waiter, holder] += 1 / len(slots)
    return found


@given(HISTORIES)
def test_each_waiting_microsecond_is_charged_once(history: list[tuple[Moment, int]]) -> None:
    totals = Totals(of_history(history))
    waited = Counter[str]()
    for moment, span_us in history:
        waited.update(dict.fromkeys(moment.waiting | moment.limited, span_us))
    rows = {row.owner: row for row in totals.owners()}
    assert {owner: row.waited for owner, row in rows.items() if row.waited} == dict(waited)
    assert sum(row.others for row in rows.values()) == sum(row.caused for row in rows.values())
    assert sum(pair.us for pair in totals.pairs()) == sum(row.others for row in rows.values())


@given(st.lists(st.tuples(MOMENTS, st.integers(1, 20)), max_size=5))
def test_the_slots_answer_for_it_as_a_model_of_single_slots_says(history: list[tuple[Moment, int]]) -> None:
    amounts = of_history(history)
    found: Counter[tuple[str, str]] = Counter()
    for charge, amount in amounts.items():
        if charge.holder or charge.what == Reason.FREE:
            found[charge.waiter or "", charge.holder or ""] += amount
    model = by_brute_force(history)
    for pair in {*found, *model}:
        # A slot's share of a state is rounded to whole microseconds.
        assert found[pair] == pytest.approx(model.get(pair, 0), abs=6 * len(history)), pair


@hypothesis.settings(max_examples=40)
@given(HISTORIES, st.integers(0, 5))
def test_no_sum_changes_where_only_the_largest_are_kept_by_name(history: list[tuple[Moment, int]], listed: int) -> None:
    whole = of_history(history)
    short = bounded(whole, listed)
    assert sum(short.values()) == sum(whole.values())
    assert sum(charge.waiter is not None for charge in short) <= listed
    for reason in Reason:
        assert sum(us for charge, us in short.items() if charge[1:] == ("", reason)) == sum(
            us for charge, us in whole.items() if charge[1:] == ("", reason)
        )
    assert bounded(bounded(whole, listed), listed) == short, "again changes nothing"


def test_an_owner_waits_for_the_other_by_the_slots_that_it_holds() -> None:
    moment = Moment(frozenset({"globex", "acme"}), running=[("acme", "import")] * 3 + [("globex", "ask")], slots=5)
    row = {row.owner: row for row in Totals(of_history([(moment, 1_000_000)])).owners()}
    assert (row["globex"].others, row["globex"].itself, row["globex"].apart) == (600_000, 200_000, {"free": 200_000})
    assert (row["acme"].others, row["acme"].itself, row["acme"].caused) == (200_000, 600_000, 600_000)


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (Moment(frozenset({"a"}), running=[("b", "t")], held=Reason.PAUSED), "paused"),
        (Moment(frozenset({"a"}), running=[("b", "t")], held=Reason.BREAKER), "breaker"),
        (Moment(frozenset({"a"})), "no-worker"),
        (Moment(frozenset({"a"}), slots=2), "free"),
        (Moment(limited=frozenset({"a"}), running=[("b", "t")], slots=1), "limit"),
    ],
)
def test_what_no_owner_answers_for_is_apart(moment: Moment, reason: str) -> None:
    assert of_history([(moment, 1000)]) == {Charge("a", "", reason): 1000}
