"""Campaigns of blows, judged by what clients and workers saw: no accepted job is lost, and nothing is done twice.

The message of a failure has the seed, the history's path and the stories of the jobs concerned; pytest keeps the folders of its
last three runs.
"""

import random
from pathlib import Path

import pytest

from tests.chaos.campaign.attacker import BLOWS, drawn
from tests.chaos.campaign.campaign import Plan, run
from tests.chaos.histories.record import read_history
from tests.chaos.histories.verdict import Verdict, report
from tests.production.needs import FAKETIME


async def fought(plan: Plan, folder: Path) -> Verdict:
    """The verdict of a campaign in which every promise was held."""
    verdict = await run(plan, folder)
    history = read_history(folder / "history.jsonl")
    text = "\n".join([f"the history is in {folder / 'history.jsonl'}", *report(history, verdict)])
    print(text)
    assert not verdict.violations, text
    assert (verdict.closed, verdict.accepted >= plan.jobs * 0.9) == (True, True), text
    assert verdict.blows.total() == plan.blows, text
    return verdict


def test_blows_are_drawn_from_the_seed_alone_and_every_kind_is_among_them() -> None:
    first, again, other = (drawn(random.Random(seed), 40) for seed in (5, 5, 6))
    assert first == again != other
    assert set(first) == set(BLOWS) and len(first) == 40


@pytest.mark.chaos
@pytest.mark.slow
async def test_each_kind_of_blow_once(tmp_path: Path) -> None:
    verdict = await fought(Plan(seed=2, jobs=300, blows=len(BLOWS)), tmp_path / "campaign")
    assert set(verdict.blows) == set(BLOWS)
    if FAKETIME is None:
        pytest.skip("libfaketime is not installed here (apt-get install faketime): every blow but a wrong clock fell")


@pytest.mark.chaos
@pytest.mark.long
@pytest.mark.parametrize("seed", [2026, 7])
async def test_two_hundred_blows_over_five_thousand_jobs(tmp_path: Path, seed: int) -> None:
    await fought(Plan(seed=seed, jobs=5_000, blows=200, recovers_s=180), tmp_path / "campaign")
