"""`python -m tests.chaos.histories check FILE [--job ID]`: judge a recorded history, or print one job's story."""

import argparse
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
    given = parser.parse_args(arguments)
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
