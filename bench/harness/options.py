"""What every queue bench takes on its command line, and its runs: in turns, so that a disturbance meets everybody."""

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence

from bench.harness.contenders import CONTENDERS, Contender

RUNS = 3
"""Every figure is the median of so many runs, each on an empty server."""


def parser(description: str | None) -> argparse.ArgumentParser:
    """With `--only` (a list of Contender) and `--runs`; a bench adds its own."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    keys = ", ".join(c.key for c in CONTENDERS)
    made.add_argument("--only", type=_chosen, default=CONTENDERS, metavar="KEY,KEY", help=f"of {keys}")
    made.add_argument("--runs", type=int, default=RUNS, help=f"of which the median is taken (default {RUNS})")
    return made


def _chosen(keys: str) -> list[Contender]:
    wanted = keys.split(",")
    unknown = sorted(set(wanted) - {c.key for c in CONTENDERS})
    if unknown:
        known = ", ".join(c.key for c in CONTENDERS)
        raise argparse.ArgumentTypeError(f"no contender is called {' or '.join(unknown)}; there are {known}")
    return [c for c in CONTENDERS if c.key in wanted]


def in_turns(
    contenders: Sequence[Contender], runs: int, measure: Callable[[Contender], Sequence[float | str]]
) -> list[tuple[Contender, list[float | str]]]:
    """The medians of `measure`, column by column, over `runs` rounds of everybody.

    A contender that fails in a run is named with its reason, and its row is of its other runs.
    """
    found: dict[str, list[Sequence[float | str]]] = {c.key: [] for c in contenders}
    for turn in range(runs):
        for contender in contenders:
            try:
                found[contender.key].append(measure(contender))
                measured = ", ".join(c if isinstance(c, str) else f"{c:,.1f}" for c in found[contender.key][-1])
                print(f"{turn + 1}/{runs} {contender.name}: {measured}", file=sys.stderr)
            except (TimeoutError, subprocess.CalledProcessError) as error:
                print(f"{contender.name}: {error}")
    return [(c, medians(found[c.key])) for c in contenders if found[c.key]]


def medians(runs: Sequence[Sequence[float | str]]) -> list[float | str]:
    """Column by column; a column of words stays the word of the first run."""
    columns = zip(*runs, strict=True)
    return [c[0] if isinstance(c[0], str) else statistics.median(c) for c in columns]
