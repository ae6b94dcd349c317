"""Incident capsules: one file, whole, escaped, masked by right, bounded, and refused for spans that cannot be."""

import asyncio
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from litestar import Litestar

from dashboard.capsule import jobs as capsule_jobs
from dashboard.capsule.span import read_span
from service.cli import capsule as command
from service.monitoring.audit_log import AuditEntry, Target
from settings import Settings
from tasks.sdk.errors import Refused
from tests.dashboard.conftest import VIEWER, Client
from tests.dashboard.made import Anything, Maker
from tests.dashboard.test_log import logged

FILE = "/admin/capsule/file"
HOSTILE = '<script>alert("x")</script>\'"&'
AT_MS = 1_800_000_000_000


async def filled(made: Maker) -> str:
    """A failed job with hostile texts, its log, an audit line and a deploy. Returns the job's id."""
    job = await made.active(payload=Anything(email="ada.of.capsule@example.com"))
    await logged(made, job.id, ("error", f"line {HOSTILE}", {"who": HOSTILE, "to": "ada.of.capsule@example.com"}))
    await made.failed(job, f"torn {HOSTILE} of ada.of.capsule@example.com", f"Traceback {HOSTILE}")
    await made.completed(await made.active())
    await made.services.changes.deploys.mark(HOSTILE, by=HOSTILE)
    target = Target("job", job.id)
    entry = AuditEntry(actor=HOSTILE, role="operator", action="job.retried", target=target, owner="", detail=HOSTILE)
    await made.services.audit.record(entry)
    return job.id


async def test_a_capsule_holds_all_parts_needs_nothing_else_and_runs_nothing(operator: Client, made: Maker) -> None:
    job_id = await filled(made)
    answer = await operator.get(FILE)
    page = answer.text
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    for title in (
        "Charts",
        "Alerts",
        "What changed",
        "Error groups",
        "Failed jobs",
        "Longest jobs",
        "Audit log",
        "Workers",
    ):
        assert f"<h2>{title}</h2>" in page
    assert "could not be read" not in page and page.rstrip().endswith("</html>") and "End of the capsule." in page
    assert job_id in page and "ada.of.capsule@example.com" in page and "by admin (operator)" in page
    assert "&lt;script&gt;alert(" in page and "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!http)[^"]*"|url\(', page), "something of it stands elsewhere"


async def test_a_viewers_capsule_is_masked_and_says_so(viewer: Client, made: Maker) -> None:
    job_id = await filled(made)
    page = (await viewer.get(FILE)).text
    assert job_id in page and "they are masked" in page
    assert "ada.of.capsule" not in page and "End of the capsule." in page


async def test_a_capsule_says_what_it_left_out(operator: Client, made: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await made.failed(await made.active())
    monkeypatch.setattr(capsule_jobs, "FAILED_SHOWN", 1)
    monkeypatch.setattr(capsule_jobs, "AT_ONCE", 2)
    monkeypatch.setattr(capsule_jobs, "EXAMINED_MAX", 2)
    page = (await operator.get(FILE)).text
    assert page.count('<div class="job">') == 1
    assert "1 is here, the newest; 1 is left out." in page
    assert "Only the newest 2 failed jobs were read" in page


async def test_a_part_that_cannot_be_read_costs_no_other(
    operator: Client, made: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(made.services.audit, "between", away)
    page = (await operator.get(FILE)).text
    assert page.count("could not be read") == 1 and "End of the capsule." in page


async def test_without_the_jobs_a_viewers_capsule_holds_none_of_their_words(
    viewer: Client, made: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(made)

    async def away(*_: object, **__: object) -> None:
        raise OSError("the queue server is away")

    monkeypatch.setattr(made.services.store, "attempts", away)
    page = (await viewer.get(FILE)).text
    assert page.count("could not be read") == 4 and "ada.of" not in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-02-01&to=2026-01-01", "The span ends before it begins"),
        ("from=yesterday", "is neither a time such as"),
        ("from=999999d", "Nothing is kept for longer than 400 days"),
        ("from=50d", "A capsule covers 31 days at most"),
        ("from=1h&to=9999-01-01", "A capsule covers 31 days at most"),
        ("from=9998-01-01&to=9999-01-01", "The span lies in the future"),
        ("from=<b>", "&lt;b&gt;"),
    ],
)
@pytest.mark.parametrize("page", ["/admin/capsule", FILE])
async def test_a_span_that_cannot_be_is_refused_with_one_sentence(
    operator: Client, made: Maker, page: str, query: str, sentence: str
) -> None:
    answer = await operator.get(f"{page}?{query}")
    assert answer.status_code == 400 and sentence in answer.text


def test_a_span_is_the_last_hour_unless_it_is_named() -> None:
    span = read_span("", "", AT_MS)
    assert (span.first_ms, span.last_ms) == (AT_MS - 3_600_000, AT_MS)
    span = read_span("2h", "30m", AT_MS)
    assert (span.first_ms, span.last_ms) == (AT_MS - 7_200_000, AT_MS - 1_800_000)
    with pytest.raises(Refused):
        read_span("", "1970-01-01", AT_MS)


async def test_the_form_says_whose_rights_the_file_has(operator: Client, made: Maker) -> None:
    page = (await operator.get("/admin/capsule?from=2h")).text
    assert 'name="from"' in page and "mind to whom you give it" in page
    operator.auth = VIEWER
    assert "Personal values are masked" in (await operator.get("/admin/capsule")).text


async def test_the_command_writes_the_file_with_a_users_rights_or_says_why_not(
    made: Maker, served: tuple[Litestar, str], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(made)
    monkeypatch.setattr(command, "load_settings", lambda: settings)
    output = tmp_path / "incident.html"

    async def run(*words: str) -> tuple[int, str]:
        arguments = [*words, "--server", served[1], "-o", str(output)]
        done = await asyncio.to_thread(CliRunner().invoke, command.capsule, arguments)
        return done.exit_code, done.output

    code, text = await run("--from", "2h")
    assert code == 0 and f"{output}: " in text and "by admin (operator)" in output.read_text()
    assert (await run("--user", "viewer"))[0] == 0 and "ada.of" not in output.read_text()
    before = output.read_text()
    code, text = await run("--from", "900d")
    assert code == 1 and "Error: Nothing is kept for longer than 400 days" in text
    monkeypatch.setattr(command.click, "prompt", lambda *_, **__: "wrong")
    code, text = await run("--user", "eve")
    assert code == 1 and "does not know the user eve" in text
    assert output.read_text() == before and list(tmp_path.iterdir()) == [output]
