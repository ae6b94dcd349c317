"""The queue server killed in the middle of a job and started again 5 s later, on the same port and with its data.

What becomes of the worker, of a job that outlasts the absence and of one that ends during it, and how long after the
server's return a new job runs. A worker that exits is started again once the server is back, as a supervisor would; one
of a single slot first ends the job it has, 3 s after the return. Everybody is watched for 75 s from there, side by side:
a job may come a second time much later.
"""

import contextlib
import functools
import math
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from bench.harness.contenders import Contender, taking_part
from bench.harness.options import parser
from bench.harness.queue_server import durable_server, environment, running
from bench.harness.report import table
from bench.harness.side_by_side import busy, side_by_side
from bench.harness.stamps import BEGUN, ENDED, Stamps

BEFORE_S, AWAY_S, WATCHED_S = 2, 5, 75
OUTLASTS_S, ENDS_IN_OUTAGE_S = 10, 4
"""How long the two jobs are busy, of which the server sees the first two seconds."""

CLIENT_EVERY_S = 1


def run(contender: Contender, starts: threading.Semaphore, busy_s: float) -> tuple[int, str, float]:
    """How often the worker exited, the job's fate, and seconds from the server's first answer to a new job's first line."""
    with durable_server() as valkey, tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as started:
        stamps, go = Stamps(Path(folder) / "stamps"), Path(folder) / "go"
        env = environment(valkey.url, stamps, folder)
        jobs = ["after", str(go), "pickup", str(WATCHED_S // CLIENT_EVERY_S), str(CLIENT_EVERY_S)]
        with starts:
            started.enter_context(running([*contender.client, *jobs], env))
            worker = started.enter_context(running(contender.worker, env))
            busy(contender, stamps, env, busy_s)
        time.sleep(BEFORE_S)
        valkey.kill()
        time.sleep(AWAY_S)
        valkey.start()
        back_ns = time.monotonic_ns()
        go.touch()
        exits = watched(contender, worker, env, started)
        new = [moment for enqueued, moment in stamps.rows() if enqueued >= back_ns]
        began, ended = len(stamps.times(BEGUN)), len(stamps.times(ENDED))
    return exits, fate(began, ended), (min(new) - back_ns) / 1e9 if new else math.inf


def watched(
    contender: Contender, worker: "subprocess.Popen[bytes]", env: dict[str, str], started: contextlib.ExitStack
) -> int:
    """Watch the worker, and start another where it exits. Answers how often it did."""
    exits, until_s = 0, time.monotonic() + WATCHED_S
    while time.monotonic() < until_s:
        if worker.poll() is not None:
            exits += 1
            worker = started.enter_context(running(contender.worker, env))
        time.sleep(0.1)
    return exits


def fate(began: int, ended: int) -> str:
    """Outcome of a job that began and ended so many times."""
    if began == 1:
        return "ran once" if ended else "lost"
    return f"began {began}×, ended {ended}×"


def main() -> None:
    options = parser(__doc__).parse_args()
    # Another polling interval changes nothing here.
    part = taking_part([c for c in options.only if c.key != "arq-5ms"])
    runs = [functools.partial(run, busy_s=busy_s) for busy_s in (OUTLASTS_S, ENDS_IN_OUTAGE_S)]
    rows, found = [], side_by_side(part, *runs)
    for contender, ((exits, outlasting, new_s), (exits_2, ending, new_2_s)) in found:
        slowest_s = max(new_s, new_2_s)
        new = slowest_s if slowest_s < math.inf else f"not within {WATCHED_S} s"
        rows.append([contender.name, "exits" if exits + exits_2 else "survives", outlasting, ending, new])
    title = f"Outage: the queue server gone for {AWAY_S} s in the middle of a job"
    columns = ["queue", "worker", f"job of {OUTLASTS_S} s", f"job of {ENDS_IN_OUTAGE_S} s", "new job after s"]
    settings = {"before_s": BEFORE_S, "away_s": AWAY_S, "watched_s": WATCHED_S}
    table("outage", title, columns, rows, [c for c, _ in found], **settings)


if __name__ == "__main__":
    main()
