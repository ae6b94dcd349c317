"""The command line against a running stack, and without one."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.ocr.documents import text_pdf
from tests.supervisor.stack import OFFLOAD, Stack


def test_ocr_gives_the_text_and_shows_the_way(stack: Stack, tmp_path: Path):
    content, words = text_pdf(pages=3)
    document = tmp_path / "drei Seiten.pdf"
    document.write_bytes(content)
    to_output = stack.run("ocr", str(document))
    assert to_output.returncode == 0, to_output.stderr
    assert " ".join(words[0].split()[:5]) in " ".join(to_output.stdout.split())
    assert "drei Seiten.pdf  100 %" in to_output.stderr and "100" not in to_output.stdout[:100]
    to_file = stack.run("ocr", str(document), "-o", str(tmp_path / "text.txt"), "--priority", "high")
    assert to_file.returncode == 0 and to_file.stdout == ""
    assert (tmp_path / "text.txt").read_text() == to_output.stdout.removesuffix("\n")


def test_jobs_lists_newest_first_and_filters(stack: Stack, tmp_path: Path):
    document = tmp_path / "one.pdf"
    document.write_bytes(text_pdf()[0])
    assert stack.run("ocr", str(document)).returncode == 0
    newest = stack.jobs()[0]["id"]
    listed = stack.run("jobs", "--status", "completed", "--limit", "1", COLUMNS="200").stdout.splitlines()
    assert len(listed) == 2 and newest in listed[1] and "completed" in listed[1]
    assert stack.run("jobs", "--queue", "thumbnails").stdout == "No such jobs.\n"
    found = stack.run("jobs", "-state:failed task:pdf-ocr", "created:>1h took:<1h", COLUMNS="200").stdout
    assert newest in found and "No such jobs" in stack.run("jobs", "state:failed").stdout
    slip = stack.run("jobs", "stat:failed")
    assert (slip.returncode, slip.stdout) == (1, "") and "There is no key stat: do you mean state?" in slip.stderr
    assert "No such option" in stack.run("jobs", "--stauts", "failed").stderr


def test_retry_failed_says_how_many(stack: Stack):
    result = stack.run("retry-failed", "--queue", "csv-export")
    assert (result.returncode, result.stdout) == (0, "0 of 0 failed jobs queued again.\n")


def test_seed_adds_the_same_rows_once(stack: Stack):
    assert stack.run("seed", "--users", "7", "--events", "11").stdout == "7 users and 11 events added.\n"
    assert stack.run("seed", "--users", "7", "--events", "11").stdout == "0 users and 0 events added.\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "empty"), (b"only text, whatever its name", "PDF")],
)
def test_a_file_that_is_refused_is_refused_in_the_servers_words(
    stack: Stack, tmp_path: Path, content: bytes, sentence: str
):
    document = tmp_path / "bad.pdf"
    document.write_bytes(content)
    result = stack.run("ocr", str(document))
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("Error: ") and sentence in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_wrong_key_is_named(stack: Stack):
    result = stack.run("jobs", "--key", "not-a-key-of-theirs")
    assert (result.returncode, result.stderr) == (
        1,
        f"Error: The server at 127.0.0.1:{stack.port} does not know this API key.\n",
    )


@pytest.mark.parametrize("command", [["jobs"], ["retry-failed"], ["ocr", "pyproject.toml"]])
def test_without_a_server_one_sentence_says_what_to_do(tmp_path: Path, command: list[str]):
    environment = os.environ | {"OFFLOAD_DATA_DIR": str(tmp_path / "data"), "OFFLOAD_PORT": "9"}
    result = subprocess.run([*OFFLOAD, *command], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (
        1,
        "Error: No Offload server answers at http://127.0.0.1:9: start one with `make run` or `offload up`.\n",
    )
    assert not (tmp_path / "data").exists()
