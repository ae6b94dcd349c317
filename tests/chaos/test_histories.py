"""The checker finds each planted violation, and nothing in a history that holds every promise."""

from pathlib import Path

import pytest

from tests.chaos.histories.__main__ import main
from tests.chaos.histories.record import Event, History, Kind, Recorder, read_history
from tests.chaos.histories.verdict import Verdict, check, report, story

LEASE_MS = 2_000

LATE_MS = 60_000
"""Later than any worker may learn of a lost lease or a cancel."""


class Written:
    """A history that a test writes. Its clock is a line's `at_ms`, in steps of 10."""

    def __init__(self) -> None:
        self.events = [Event(Kind.CAMPAIGN, 0.0, lease_ms=LEASE_MS, seed=7)]

    def add(self, kind: Kind, at_ms: float, **fields: str | int | float | bool) -> "Written":
        self.events.append(Event(kind, float(at_ms), **fields))
        return self

    def accepted(self, job: str = "j", at_ms: float = 10, request: str = "r") -> "Written":
        self.add(Kind.REQUESTED, at_ms - 5, request=request, key="k")
        return self.add(Kind.ANSWERED, at_ms, request=request, key="k", status=202, job=job, since_ms=at_ms - 5)

    def begun(self, fence: int, at_ms: float, job: str = "j", attempt: int = 0, pid: int = 0) -> "Written":
        worker = f"w{pid or fence}"
        return self.add(
            Kind.BEGUN,
            at_ms,
            job=job,
            request="r",
            attempt=attempt or fence,
            fence=fence,
            worker=worker,
            pid=pid or fence,
        )

    def effect(
        self, name: str, fence: int, at_ms: float, *, since_ms: float = 0, guarded: bool = True, pid: int = 0
    ) -> "Written":
        sent_ms = since_ms or at_ms - 1
        return self.add(
            Kind.EFFECT, at_ms, job="j", name=name, fence=fence, pid=pid or fence, since_ms=sent_ms, guarded=guarded
        )

    def through(self, fence: int, at_ms: float) -> "Written":
        return self.add(Kind.THROUGH, at_ms, job="j", fence=fence, pid=fence)

    def read(self, state: str, at_ms: float, *, progress: int = 100, attempt: int = 1, job: str = "j") -> "Written":
        since_ms = at_ms - 1
        return self.add(
            Kind.READ, at_ms, job=job, status=200, state=state, progress=progress, attempt=attempt, since_ms=since_ms
        )

    def blow(self, name: str, from_ms: float, to_ms: float, pid: int = 0) -> "Written":
        return self.add(Kind.BLOW, from_ms, name=name, pid=pid).add(Kind.OVER, to_ms, name=name, pid=pid)

    def done(self, fence: int = 1, at_ms: float = 90) -> "Written":
        """The job comes through, is read as completed, and the history ends."""
        return self.through(fence, at_ms).read("completed", at_ms + 10).closed(at_ms + 20)

    def closed(self, at_ms: float) -> "Written":
        return self.add(Kind.CLOSED, at_ms)

    def judged(self) -> Verdict:
        return check(History(self.events))


def broken(written: Written) -> list[str]:
    """Rules that a history breaks."""
    return [violation.rule for violation in written.judged().violations]


def test_a_history_that_holds_every_promise() -> None:
    written = Written().accepted().begun(1, 20).effect("a", 1, 30).read("active", 40, progress=10).done()
    verdict = written.judged()
    assert (verdict.violations, verdict.excused, verdict.accepted, verdict.closed) == ([], [], 1, True)


def test_an_attempt_after_a_death_may_repeat_what_is_unguarded() -> None:
    written = Written().accepted().begun(1, 20).effect("a", 1, 30, guarded=False).blow("kill", 40, 41, pid=1)
    assert broken(written.begun(2, 50).effect("a", 2, 60, guarded=False).done(2)) == []


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        ("lost", Written().accepted().closed(20)),
        ("lost", Written().accepted().add(Kind.READ, 20, job="j", status=404, since_ms=15).closed(30)),
        ("lost", Written().accepted().read("queued", 20).closed(30)),
        ("not done", Written().accepted().begun(1, 20).read("completed", 30).closed(40)),
        ("ended once", Written().accepted().read("failed", 20).begun(1, 15).read("active", 40).done()),
        ("ended once", Written().accepted().begun(1, 20).through(1, 30).read("completed", 40).begun(2, 50).done(2)),
        ("done twice", Written().accepted().begun(1, 20).effect("a", 1, 30).begun(2, 40).effect("a", 2, 50).done(2)),
        (
            "done twice",
            Written()
            .accepted()
            .begun(1, 20)
            .effect("a", 1, 30, guarded=False)
            .effect("a", 1, 31, guarded=False)
            .done(),
        ),
        ("old fence", Written().accepted().begun(1, 20).begun(2, 30).effect("a", 1, 50, since_ms=40).done(2)),
        ("fence twice", Written().accepted().begun(1, 20, pid=4).begun(1, 30, pid=5).done()),
        ("two at once", Written().accepted().begun(1, 20).begun(2, 30).through(1, LATE_MS).done(2, LATE_MS + 10)),
        (
            "progress back",
            Written().accepted().begun(1, 20).read("active", 30, progress=60).read("active", 40, progress=20).done(),
        ),
        (
            "cancelled",
            Written()
            .accepted()
            .begun(1, 20)
            .add(Kind.CANCEL, 30, job="j", status=202, since_ms=25)
            .add(Kind.STEP, LATE_MS, job="j", fence=1, pid=1)
            .read("cancelled", LATE_MS + 10)
            .closed(LATE_MS + 20),
        ),
        (
            "queued twice",
            Written().accepted().accepted("other", 15).begun(1, 20).read("completed", 95, job="other").done(),
        ),
        ("queued twice", Written().begun(1, 5, job="unanswered").accepted().begun(1, 20).done()),
        (
            "refused",
            Written().add(Kind.ANSWERED, 10, request="r", key="k", status=429, since_ms=5).begun(1, 20).closed(30),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_planted_violation_is_found(rule: str, written: Written) -> None:
    assert set(broken(written)) - {"not done", "lost"} <= {rule}
    assert rule in broken(written)


def test_what_had_not_ended_when_a_history_was_broken_off_is_not_lost() -> None:
    written = Written().accepted().read("queued", 20)
    assert broken(written) == []
    assert any("broken off" in line for line in report(History(written.events), written.judged()))


def test_reads_that_overlap_have_no_order() -> None:
    written = Written().accepted().begun(1, 20).through(1, 25)
    written.add(Kind.READ, 50, job="j", status=200, state="completed", progress=100, attempt=1, since_ms=30)
    written.add(Kind.READ, 60, job="j", status=200, state="active", progress=10, attempt=1, since_ms=40)
    assert broken(written.done()) == []


def test_a_retry_lets_an_ended_job_begin_again() -> None:
    written = Written().accepted().begun(1, 20).read("failed", 30)
    written.add(Kind.RETRY, 40, job="j", status=202, since_ms=35)
    assert broken(written.begun(2, 50).read("active", 60, attempt=2).done(2)) == []


def test_a_retry_that_was_refused_does_not() -> None:
    written = Written().accepted().begun(1, 20).read("failed", 30)
    written.add(Kind.RETRY, 40, job="j", status=409, since_ms=35)
    assert "ended once" in broken(written.begun(2, 50).done(2))


def test_a_frozen_worker_may_be_late_by_as_long_as_it_was_frozen_and_no_longer() -> None:
    def late_by(ms: float) -> list[str]:
        written = Written().accepted().begun(1, 20).blow("freeze", 25, LATE_MS, pid=1).begun(2, 30)
        return broken(written.add(Kind.STEP, LATE_MS + ms, job="j", fence=1, pid=1).done(2, 3 * LATE_MS))

    assert late_by(LEASE_MS) == []
    assert late_by(LATE_MS) == ["two at once"]


def test_another_workers_freeze_excuses_nothing() -> None:
    written = Written().accepted().begun(1, 20).blow("freeze", 25, LATE_MS, pid=99).begun(2, 30)
    assert broken(written.add(Kind.STEP, LATE_MS + 1, job="j", fence=1, pid=1).done(2, 2 * LATE_MS)) == ["two at once"]


def test_a_failover_takes_back_an_end_that_no_answer_promised_and_no_older_one() -> None:
    def ended_before(ms: float) -> Verdict:
        written = Written().accepted().begun(1, 20).through(1, 30).read("completed", LATE_MS - ms)
        return written.blow("failover", LATE_MS, LATE_MS + 100).begun(2, LATE_MS + 200).done(2, LATE_MS + 300).judged()

    fresh, old = ended_before(50), ended_before(LATE_MS / 2)
    assert ([one.rule for one in fresh.excused], fresh.violations) == (["ended once"], [])
    assert ([one.rule for one in old.violations], old.excused) == (["ended once"], [])


def test_a_failover_takes_back_no_accepted_job_and_doubles_no_guarded_effect() -> None:
    lost = Written().accepted(at_ms=LATE_MS - 10).blow("failover", LATE_MS, LATE_MS + 100).closed(LATE_MS + 200)
    twice = Written().accepted().begun(1, 20).effect("a", 1, LATE_MS - 10).blow("failover", LATE_MS, LATE_MS + 100)
    assert broken(lost) == ["lost"]
    assert broken(twice.begun(2, LATE_MS + 200).effect("a", 2, LATE_MS + 210).done(2, LATE_MS + 300)) == ["done twice"]


def test_a_story_has_the_jobs_own_events_and_the_blows_among_them() -> None:
    written = Written().blow("cut", 1, 2).accepted().begun(1, 20).blow("kill", 30, 40, pid=1).begun(2, 50).done(2)
    lines = list(story(History(written.accepted("other", 60, "other").events), "j"))
    assert [line.split("s  ")[1].split()[0] for line in lines] == [
        "client", "client", "worker", "BLOW", "kill", "worker", "worker", "client",
    ]  # fmt: skip
    assert "0.005 s  client    sends r under k" in lines[0]
    assert "w2 begins attempt 2: fence 2" in "\n".join(lines)


def test_the_command_judges_a_recorded_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "history.jsonl"
    recorder = Recorder(path)
    recorder.record(Kind.CAMPAIGN, lease_ms=LEASE_MS, seed=7)
    recorder.record(Kind.ANSWERED, request="r", key="k", status=202, job="j", since_ms=1)
    recorder.record(Kind.CLOSED)
    assert [event.kind for event in read_history(path).events] == [Kind.CAMPAIGN, Kind.ANSWERED, Kind.CLOSED]
    assert main(["check", str(path)]) == 1
    printed = capsys.readouterr().out
    assert "lost: j: it was accepted, and was never read again" in printed and "r is answered 202" in printed
    assert main(["check", str(path), "--job", "j"]) == 0
    recorder.record(Kind.READ, job="j", status=200, state="cancelled", since_ms=1)
    assert main(["check", str(path)]) == 0


def test_a_file_that_is_not_a_history_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "torn.jsonl"
    path.write_text('{"kind":"campaign","at_ms":1.0}\n{"kind":"answ')
    assert main(["check", str(path)]) == 2
    assert "line 2" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "missing")]) == 2
