"""`python -m tests.chaos.histories`: `check FILE [--job ID]` judges a recorded history, `run` carries a campaign out."""

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

from tests.chaos.histories.record import BadHistory, read_history
from tests.chaos.histories.verdict import check, report, story


def main(arguments: list[str] | None = None) -> int:
    """0 where every promise was held, 1 where one was broken, 2 for a file that is not a history."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.histories", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="judge a history; the file alone, without a server")
    checking.add_argument("file", type=Path)
    checking.add_argument("--job", help="print this job's story and nothing else")
    running = commands.add_parser("run", help="carry a campaign out, and judge its history")
    running.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    running.add_argument("--jobs", type=int, default=5_000)
    running.add_argument("--blows", type=int, default=200)
    running.add_argument("--folder", type=Path, required=True, help="for its history and its processes' logs")
    given = parser.parse_args(arguments)
    if given.command == "run":
        # Imported here: to judge a history takes none of what makes one.
        from tests.chaos.campaign.campaign import Plan, run

        asyncio.run(run(Plan(given.seed, given.jobs, given.blows), given.folder.absolute()))
        given.file, given.job = given.folder / "history.jsonl", None
        print(f"the history is in {given.file}")
    try:
        history = read_history(given.file)
    except (BadHistory, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if given.job:
        print(*story(history, given.job), sep="\n")
        return 0 if given.job in history.jobs else 2
    verdict = check(history)
    print(*report(history, verdict), sep="\n")
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    sys.exit(main())
