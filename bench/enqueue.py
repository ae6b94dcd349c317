"""Jobs a second that one client enqueues, one by one and in bulk, beside the peers in the same run.

Offload writes record and indexes with each; its estimate, limit and fairness are on.
"""

import subprocess
import tempfile
from pathlib import Path

from bench.harness.contenders import Contender, taking_part
from bench.harness.queue_server import RUNS, environment, medians, server, table
from bench.harness.stamps import Stamps

JOBS = 10_000


def run(contender: Contender, form: str) -> list[float]:
    """One run: jobs a second."""
    with server() as url, tempfile.TemporaryDirectory() as folder:
        env = environment(url, Stamps(Path(folder) / "stamps"), folder)
        command = [contender.python, "-m", "bench.harness.client", contender.client, "fill", str(JOBS), form]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return [JOBS / float(done.stdout.split()[-1])]


def main() -> None:
    rows = []
    for contender in taking_part():
        singles = medians([run(contender, "single") for _ in range(RUNS)])
        bulk = medians([run(contender, "bulk") for _ in range(RUNS)]) if contender.name == "Offload" else ["none"]
        rows.append([contender.name, *singles, *bulk])
    columns = ["queue", "one by one/s", "bulk/s"]
    table("enqueue", f"Enqueue: {JOBS:,} jobs, one client", columns, rows, ["offload", "arq", "redis"])


if __name__ == "__main__":
    main()
