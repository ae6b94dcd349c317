"""`offload jobs`: what it prints in a terminal of any width, and in a pipe."""

import io
from typing import Any, cast

import pytest
from rich.console import Console

from service.cli.jobs import print_jobs

IDS = [f"thumbnails-maintenance-{number:020x}" for number in (1, 2)]


class TwoJobs:
    """Answers of the list's route: only the API itself knows how to make more of them."""

    def jobs(self, limit: int, **filters: str | None) -> list[dict[str, Any]]:
        return [
            {
                "id": job_id,
                "status": "failed",
                "progress": 40,
                "created_at": "2026-01-31T08:00:00.000Z",
                "message": "",
                "error": "page 3 [of 9]\tis\nencrypted and cannot be read by anything that is installed here",
            }
            for job_id in IDS
        ]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_no_id_is_cut_however_narrow_the_terminal(columns: int) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=columns, color_system=None)
    print_jobs(TwoJobs().jobs(50), console)
    printed = cast(io.StringIO, console.file).getvalue()
    assert all(job_id in printed for job_id in IDS)


def test_a_pipe_gets_whole_lines_with_tabs_between() -> None:
    console = Console(file=io.StringIO(), width=40)
    print_jobs(TwoJobs().jobs(50), console)
    head, *rows = cast(io.StringIO, console.file).getvalue().splitlines()
    assert head.split("\t") == ["job", "status", "%", "created", "message"]
    assert [row.split("\t")[0] for row in rows] == IDS
    assert rows[0].split("\t")[1:] == [
        "failed",
        "40",
        "2026-01-31T08:00:00.000Z",
        "page 3 [of 9] is encrypted and cannot be read by anything that is installed here",
    ]
