"""Moves of jobs between states, checked by the arrows that docs/states.md draws."""

import re
from functools import cache
from pathlib import Path

from service.engine.states import State
from tests.engine.store.proof.found import Found

ARROW = re.compile(r"^    (\S+) --> (\S+):", re.MULTILINE)
NOWHERE = "[*]"


@cache
def drawn() -> frozenset[tuple[str, str]]:
    """Pairs of states with an arrow between them; `[*]` is a job that is not there."""
    text = (Path(__file__).parents[4] / "docs" / "states.md").read_text()
    pairs = frozenset(ARROW.findall(text))
    assert {name for pair in pairs for name in pair} == {NOWHERE, *State}, "each state has an arrow"
    return pairs


@cache
def reached(compound: bool) -> frozenset[tuple[str, str]]:
    """Moves of one script. A claim makes up to three: a crash, or the end of a wait, then the queue, then the lease."""
    steps = {(one, one) for one in (NOWHERE, *State)}
    for _ in range(3 if compound else 1):
        steps |= {(one, end) for one, middle in steps for start, end in drawn() if middle == start}
    return frozenset(steps)


def check(before: Found, after: Found, *, compound: bool = False) -> None:
    """Raises AssertionError for a job that went where no arrow leads."""
    for job_id in {**before.jobs, **after.jobs}:
        one, other = (str(found.jobs[job_id].state) if job_id in found.jobs else NOWHERE for found in (before, after))
        if (job_id in after.jobs and after.jobs[job_id].parent) or (
            job_id in before.jobs and before.jobs[job_id].parent
        ):
            # Parts go with their parents, whatever they are.
            assert other == NOWHERE or (one, other) in reached(compound), f"the part {job_id}: {one} to {other}"
        else:
            assert (one, other) in reached(compound), f"{job_id}: {one} to {other}"
