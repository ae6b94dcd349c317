"""What a killed worker leaves behind, and when it counts as evidence."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.mail import send_journal
from service.mail.send_journal import Journal, abandoned, evidence_of
from service.mail.smtp_transaction import Reply

ROOT = Path(__file__).parents[2]

WRITER = """
import sys
from pathlib import Path
from service.mail.smtp_transaction import Reply
from service.mail.send_journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.start()
for claim in ("before", "dotted", "answered"):
    journal.begin(claim)
journal.dot_follows("dotted")
journal.dot_follows("answered")
journal.answered("answered", Reply(250, "kept", "content"))
print(journal.id, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], str]]]:
    """A process that has written a journal, and the journal's id."""
    started = []

    def start() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_killed_process_testifies_to_each_claim(write, tmp_path: Path) -> None:
    process, journal_id = write()
    process.kill()
    process.wait()
    state = evidence_of(tmp_path, journal_id)
    assert state is not None
    assert state.dotted == {"dotted": None, "answered": Reply(250, "kept", "content")}
    assert list(abandoned(tmp_path)) == [journal_id]


def test_a_living_process_is_no_evidence(write, tmp_path: Path) -> None:
    _, journal_id = write()
    assert evidence_of(tmp_path, journal_id) is None
    assert list(abandoned(tmp_path)) == []


def test_neither_is_another_machine_nor_a_restarted_one(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert evidence_of(tmp_path, "elsewhere.1.abc") is None
    process, journal_id = write()
    process.kill()
    process.wait()
    another_boot = tmp_path / "boot_id"
    another_boot.write_text("another-boot\n")
    monkeypatch.setattr(send_journal, "BOOT_ID", another_boot)
    assert evidence_of(tmp_path, journal_id) is None
    monkeypatch.setattr(send_journal, "BOOT_ID", tmp_path / "no such file")
    assert evidence_of(tmp_path, journal_id) is None


def test_a_torn_last_line_announced_nothing(write, tmp_path: Path) -> None:
    process, journal_id = write()
    process.kill()
    process.wait()
    path = tmp_path / f"{journal_id}.journal"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b'"answered"') + 3])
    state = evidence_of(tmp_path, journal_id)
    assert state is not None and state.dotted == {"dotted": None}


def test_a_journal_without_open_claims_goes_with_its_process(tmp_path: Path) -> None:
    mine = Journal(tmp_path)
    mine.start()
    mine.begin("a")
    mine.dot_follows("a")
    mine.settled("a")
    mine.close()
    assert list(tmp_path.iterdir()) == []


def test_a_journal_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_journal, "COMPACT_BYTES", 1_000)
    mine = Journal(tmp_path)
    mine.start()
    for number in range(500):
        claim = f"campaign/{number}/1"
        mine.begin(claim)
        mine.dot_follows(claim)
        mine.answered(claim, Reply(250, "kept", "content"))
        mine.settled(claim)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size < 2_000
    mine.close()
