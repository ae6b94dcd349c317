"""Jobs a second that one client enqueues, one by one and in bulk, compared with the peers in the same run.

Offload writes record and indexes with each; its estimate, limit and fairness are on.
"""

import subprocess
import tempfile
from pathlib import Path

from bench.harness.contenders import Contender, taking_part
from bench.harness.options import in_turns, parser
from bench.harness.queue_server import environment, server
from bench.harness.report import table
from bench.harness.stamps import Stamps

JOBS = 10_000


def filled(contender: Contender, form: str) -> float:
    """One run: jobs a second."""
    with server() as url, tempfile.TemporaryDirectory() as folder:
        env = environment(url, Stamps(Path(folder) / "stamps"), folder)
        command = [*contender.client, "fill", str(JOBS), form]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return JOBS / float(done.stdout.split()[-1])


def run(contender: Contender) -> list[float | str]:
    """One by one, and in bulk where the client has such a call."""
    return [filled(contender, "single"), filled(contender, "bulk") if contender.bulk else "none"]


def main() -> None:
    options = parser(__doc__).parse_args()
    clients = taking_part([c for c in options.only if not c.variant_of])
    found = in_turns(clients, options.runs, run)
    rows = [[contender.name, *figures] for contender, figures in found]
    title = f"Enqueue: {JOBS:,} jobs, one client, median of {options.runs} runs"
    table("enqueue", title, ["queue", "one by one/s", "bulk/s"], rows, clients, jobs=JOBS, runs=options.runs)


if __name__ == "__main__":
    main()
