"""Commands on jobs, workers and schedules, in this process and against the API on loopback; no worker is needed."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from service.cli.main import main
from service.cli.tail import unseen
from service.submission import submit
from tasks.csv_export import csv_export
from tasks.pdf_ocr import pdf_ocr
from tests.api.conftest import ACME, Served, app, hands, served
from tests.api.hands import Hands
from tests.cli.commands import commands

__all__ = ["app", "hands", "served"]

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The API runs in this process, and what it logged would be taken for the command's output."""
    with structlog.testing.capture_logs():
        yield


async def offload(served: Served, *arguments: str) -> Result:
    """Run a command against the API, from a thread: the API answers in this process."""
    server = ["--server", served.url, "--key", ACME]
    return await asyncio.to_thread(CliRunner().invoke, main, [*arguments, *server])


async def queued(served: Served, name: str = "ocr") -> str:
    """A job of acme that waits, in pdf-processing or in csv-export."""
    if name == "export":
        return (
            await submit(served.services, csv_export, csv_export.payload(dataset="users", format="csv"), owner="acme")
        ).job_id
    payload = pdf_ocr.payload(file_id=f"file-{'0' * 32}")
    return (await served.services.enqueuer.enqueue(pdf_ocr, payload, owner="acme", units=1)).job_id


async def failed(served: Served, hands: Hands, error: str) -> str:
    job_id = await queued(served)
    await hands.fail(await hands.take(), error)
    return job_id


async def state(served: Served, job_id: str) -> str:
    job = await served.services.store.get(job_id)
    assert job is not None
    return str(job.state)


async def test_failed_jobs_are_chosen_by_error_and_age_and_a_dry_run_changes_nothing(
    served: Served, hands: Hands
) -> None:
    away = await failed(served, hands, "The storage is out of reach")
    locked = await failed(served, hands, "scan.pdf is encrypted")
    dry = await offload(served, "retry-failed", "--error", "OUT OF reach", "--since", "1h", "--dry-run")
    assert dry.exit_code == 0 and away in dry.stdout and locked not in dry.stdout
    assert dry.stdout.endswith("1 failed jobs would be queued again.\n") and await state(served, away) == "failed"
    none = await offload(served, "retry-failed", "--since", "2126-01-01T00:00Z")
    assert none.stdout == "0 of 0 failed jobs queued again.\n"
    other = await offload(served, "retry-failed", "--queue", "csv-export")
    assert other.stdout == "0 of 0 failed jobs queued again.\n"
    done = await offload(served, "retry-failed", "--error", "out of reach")
    assert (done.exit_code, done.stdout) == (0, "1 of 1 failed jobs queued again.\n")
    assert [await state(served, one) for one in (away, locked)] == ["queued", "failed"]
    wrong = await offload(served, "retry-failed", "--since", "yesterday")
    assert wrong.exit_code == 2 and "'yesterday' is neither an age such as 30m, 2h or 7d" in wrong.stderr


async def test_a_limit_counts_the_jobs_that_fit(served: Served, hands: Hands) -> None:
    wanted = [await failed(served, hands, "wanted") for _ in range(2)]
    await failed(served, hands, "other")
    done = await offload(served, "retry-failed", "--error", "wanted", "--limit", "1")
    assert done.stdout == "1 of 1 failed jobs queued again.\n"
    assert [await state(served, one) for one in wanted] == ["failed", "queued"]


async def test_jobs_are_cancelled_by_id_or_by_queue(served: Served, hands: Hands) -> None:
    one, two, export = await queued(served), await queued(served), await queued(served, "export")
    assert (await offload(served, "cancel")).exit_code == 2
    assert (await offload(served, "cancel", one, "--queue", "csv-export")).exit_code == 2
    dry = await offload(served, "cancel", "--queue", "pdf-processing", "--dry-run")
    assert dry.stdout.endswith("2 jobs would be cancelled.\n") and await state(served, one) == "queued"
    assert (await offload(served, "cancel", one)).stdout == "1 of 1 jobs cancelled, or told to stop.\n"
    again = await offload(served, "cancel", one)
    assert again.exit_code == 1 and one in again.stdout and "0 of 1" in again.stdout
    missing = await offload(served, "cancel", "pdf-ocr-none")
    assert missing.exit_code == 1 and "pdf-ocr-none" in missing.stderr
    await hands.take()
    assert (await offload(served, "cancel", "--type", "pdf-ocr")).stdout == "1 of 1 jobs cancelled, or told to stop.\n"
    assert (await served.services.store.present(two)).cancel_requested
    assert await state(served, export) == "queued"


async def test_the_filter_of_the_dashboard_chooses_what_is_retried_and_cancelled(served: Served, hands: Hands) -> None:
    away, full = await failed(served, hands, "The storage is out of reach"), await failed(served, hands, "It is full")
    dry = await offload(served, "retry-failed", 'created:>1h error:"out of reach"', "-queue:csv-export", "--dry-run")
    assert away in dry.stdout and full not in dry.stdout
    done = await offload(served, "retry-failed", "error:full")
    assert done.stdout == "1 of 1 failed jobs queued again.\n" and await state(served, away) == "failed"
    wrong = await offload(served, "retry-failed", "eror:full")
    assert wrong.exit_code == 1 and "There is no key eror" in wrong.stderr and await state(served, away) == "failed"
    assert (await offload(served, "retry-failed", "--eror", "full")).exit_code == 2
    export = await queued(served, "export")
    assert (await offload(served, "cancel", " ")).exit_code == 2
    cancelled = await offload(served, "cancel", "-task:csv-export", "created:>1h")
    assert cancelled.stdout == "1 of 1 jobs cancelled, or told to stop.\n"
    assert [await state(served, one) for one in (full, export)] == ["cancelled", "queued"]


async def test_workers_are_listed_and_their_absence_is_an_exit_code(served: Served) -> None:
    found = await offload(served, "workers")
    assert (found.exit_code, found.stdout) == (1, "No workers.\n")
    assert found.stderr.startswith("Error: ") and "worker" in found.stderr


async def test_a_job_is_followed_to_its_end(served: Served, hands: Hands) -> None:
    job_id = await queued(served)
    job = await hands.take()
    line = {"at_ms": 1_700_000_000_000, "level": "info", "attempt": 1, "event": "page read", "fields": {"page": "1"}}
    await served.services.store.logged(job_id, [json.dumps(line).encode()])
    once = await offload(served, "tail", job_id, "--no-follow")
    assert once.exit_code == 0 and once.stdout.endswith("info    page read page=1\n") and "active" in once.stderr
    following = asyncio.create_task(offload(served, "tail", job_id))
    await hands.progress(job, 50, "Page 1 of 2")
    await served.services.store.logged(job_id, [json.dumps(line | {"event": "the second", "fields": {}}).encode()])
    await hands.fail(job, "The third page is missing.")
    result = await following
    assert result.exit_code == 1
    assert [text.split("info    ")[1] for text in result.stdout.splitlines()] == ["page read page=1", "the second"]
    assert result.stderr.splitlines()[-1] == "The third page is missing."
    nothing = await offload(served, "tail", "pdf-ocr-none")
    assert nothing.exit_code == 1 and nothing.stderr.startswith("Error: ")


def test_lines_of_a_log_that_drops_its_oldest_are_shown_once() -> None:
    a, b, c, d = ({"event": one} for one in "abcd")
    assert unseen([], [a, b]) == [a, b]
    assert unseen([a, b], [a, b, c]) == [c]
    assert unseen([a, b, c], [b, c, d]) == [d]
    assert unseen([a, a], [a, a, a]) == [a]
    assert unseen([a, b], [c, d]) == [c, d]


async def test_schedules_are_listed_with_their_next_run(settings_env: dict[str, str]) -> None:
    listed = await asyncio.to_thread(CliRunner().invoke, main, ["schedules"])
    assert listed.exit_code == 0, listed.output
    head, *rows = [line.split("\t") for line in listed.stdout.splitlines()]
    assert head == ["schedule", "job", "status", "next", "last", "when"]
    by_name = {row[0]: row for row in rows}
    assert by_name["daily-digest"][1:3] == ["daily-digest", "ok"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d 08:00", by_name["daily-digest"][3]) and by_name["daily-digest"][4] == "never"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_queues(shell: str) -> None:
    script = CliRunner().invoke(main, ["completion", shell])
    assert script.exit_code == 0 and "_OFFLOAD_COMPLETE" in script.stdout

    def completed(words: str) -> str:
        environment = {
            "_OFFLOAD_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1),
        } | ({"COMP_CWORD": words.split()[-1]} if shell == "fish" else {})  # fmt: skip
        result = CliRunner().invoke(main, [], prog_name="offload", env=environment)
        return result.output

    assert "retry-failed" in completed("offload retry")
    assert "media" in completed("offload pause me")


def test_the_script_for_bash_is_one_that_bash_takes() -> None:
    script = CliRunner().invoke(main, ["completion", "bash"]).stdout
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(commands(main)))
def test_every_command_has_an_example_and_a_row_in_the_readme(name: str) -> None:
    message: dict[str, Any] = commands(main)
    assert f"Example: offload {name}" in " ".join((message[name].help or "").split())
    assert f"`offload {name.split()[0]}" in README.split("## The command line", 1)[1].split("\n## ", 1)[0]


def test_every_example_is_a_command_with_options_that_there_are() -> None:
    for name, command in commands(main).items():
        example = re.search(r"Example: offload ([^\n\)]*)", command.help or "")
        assert example is not None, name
        words = [word for word in re.findall(r"\"[^\"]*\"|\S+", example[1]) if word not in ("|", ">")]
        rest = words[len(name.split()) :]
        options = {one for parameter in command.params for one in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, name
