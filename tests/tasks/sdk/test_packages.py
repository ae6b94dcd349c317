"""Packages of job types: declared from outside, and left out one by one where they are broken."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from settings import Queue, load_settings
from settings.alert_rules import RULES
from settings.load import read_settings
from settings.queues import NAMED
from settings.schedules import SCHEDULES
from tasks.sdk import packages
from tasks.sdk.extend import MAIL_TEMPLATES, PORTS
from tasks.sdk.types import REGISTRY

ROOT = Path(__file__).parents[3]

WHOLE = '''
"""Invoices of Acme."""
from typing import Protocol

from tasks.sdk import MailTemplate, mail_template
from tasks.sdk import Payload, Rule, Run, Schedule, Severity, alert_rule, job, port, queue, schedule

OFFLOAD_SDK = "1.0"

class Ledger(Protocol):
    def book(self) -> str: ...

class Books:
    def book(self) -> str:
        return "booked"

INVOICES = queue("acme-bills", jobs_at_once=3, retries=7)
port(Ledger, lambda settings: Books())
mail_template(MailTemplate("acme-thanks", "Thanks", "Thank you", "<p>{{ user.name }}</p>", "{{ user.name }}"))
schedule(Schedule("acme-nightly", "0 3 * * *", "acme-book"))
alert_rule(Rule("acme-late", "timeouts", 0, "{value}", "over", Severity.WARNING, of="acme-bills", window_s=60))

class Book(Payload, frozen=True):
    file: str = ""

@job(queue=INVOICES)
async def acme_book(payload: Book, run: Run) -> dict:
    """Book an invoice."""
    return {"said": run.use(Ledger).book()}
'''


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Writes modules that can be imported. What they declare is taken back after the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(packages, "LOADED", [])
    monkeypatch.setattr(packages, "PROBLEMS", [])
    monkeypatch.setattr(packages, "_seen", set())
    # Other packages may be installed on this machine.
    monkeypatch.setattr(
        packages,
        "entry_points",
        lambda group: [one for one in entry_points(group=group) if one.value.startswith("acme")],
    )
    before, modules, named = packages._Declared(), set(sys.modules), set(NAMED)

    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")

    yield write
    before.restore()
    NAMED.clear()
    NAMED.update(named)
    for name in set(sys.modules) - modules:
        if name.startswith("acme"):
            del sys.modules[name]


def load(names: str, **environment: str) -> list[str]:
    """Load packages; returns what is wrong with some of them."""
    packages.load_packages({"OFFLOAD_JOBS": names} | environment)
    return [problem.sentence for problem in packages.PROBLEMS]


def test_everything_that_a_package_declares_counts(write: Callable[[str, str], None]) -> None:
    write("acme_jobs", WHOLE)
    assert load("acme_jobs") == [] and packages.LOADED == ["acme_jobs"]
    assert REGISTRY["acme-book"].queue is Queue("acme-bills") and "acme-bills" in list(Queue)
    assert Queue("acme-bills").worker_class == "AcmeBills"
    assert SCHEDULES[-1].name == "acme-nightly" and RULES[-1].name == "acme-late"
    assert [*MAIL_TEMPLATES] == ["acme-thanks"]
    assert [protocol.__name__ for protocol in PORTS] == ["Ledger"]
    packages.load_packages({"OFFLOAD_JOBS": "acme_jobs"})
    assert packages.LOADED == ["acme_jobs"], "once"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import json\nimport acme_nothing\n", "acme_bad breaks as it is imported (acme_bad.py, line 2): ModuleNotFoundError"),
        ("raise ValueError('no licence')", "acme_bad breaks as it is imported (acme_bad.py, line 1): ValueError: no licence."),
        ("import sys\nsys.exit(3)", "acme_bad breaks as it is imported (acme_bad.py, line 2): SystemExit: 3."),
        ("def (", "acme_bad breaks as it is imported"),
        ("x = 1", "acme_bad declares nothing: no job type, queue, schedule, alert rule, port or template."),
        ('OFFLOAD_SDK = "9.1"\nfrom tasks.sdk import wonders', "acme_bad needs version 9.1 of the SDK, and this is 1.0: upgrade"),
        ('OFFLOAD_SDK = "0.9"', "acme_bad was made for version 0.9 of the SDK, and this is 1.0: upgrade the package."),
        ("OFFLOAD_SDK = 1", "acme_bad says OFFLOAD_SDK = 1: write the version"),
        (WHOLE.replace("acme_book", "pdf_ocr"), "the job type pdf-ocr is taken by tasks.pdf_ocr."),
        (WHOLE.replace('"acme-bills"', '"thumbnails"'), "(acme_bad.py, line 17): ValueError: the queue thumbnails is taken."),
        (WHOLE.replace('"acme-bills"', '"In Voices"'), "the queue 'In Voices' has a bad name"),
        (WHOLE.replace("retries=7", "retries=-1"), "the queue acme-bills has a bad retries"),
        (WHOLE.replace("retries=7", "speed=7"), "the queue acme-bills has a bad speed"),
        (WHOLE.replace("queue=INVOICES", "queue='bills'"), "there is no queue bills: declare it with queue()"),
        (WHOLE.replace("acme-nightly", "daily-digest"), "the schedule daily-digest is taken."),
        (WHOLE.replace("0 3 * * *", "sometimes"), "acme-nightly"),
        (WHOLE.replace("acme-late", "queue-backlog"), "two alert rules are called queue-backlog."),
        (WHOLE.replace("queue=INVOICES", "queue=INVOICES, after='pdf-oc', follow=Book"), "follows pdf-oc, which does not exist"),
        (WHOLE.replace("queue=INVOICES", "queue=INVOICES, after='acme-book', follow=Book"), "follows itself"),
        (WHOLE.replace("queue=INVOICES", "queue=INVOICES, after='pdf-ocr'"), "needs both after and follow, or neither"),
        (WHOLE.replace('"acme-thanks"', '"template-1"'), "the template 'template-1' has a bad id"),
        (WHOLE.replace('"Thank you"', '" "'), "the template acme-thanks has no subject."),
        (WHOLE.replace('"timeouts"', '"moods"'), "names the measure moods, which does not exist"),
    ],
)  # fmt: skip
def test_a_broken_one_is_named_and_leaves_nothing(write: Callable[[str, str], None], text: str, sentence: str) -> None:
    before = packages._Declared()
    write("acme_bad", text)
    write(
        "acme_jobs",
        WHOLE.replace("acme_", "acme_good_").replace('"acme-bills"', '"good-bills"').replace("acme-", "good-"),
    )
    (message,) = load("acme_bad")
    assert sentence in message and "\n" not in message
    assert not before.differs() and packages.LOADED == []
    assert load("acme_bad,acme_jobs") == [message] and packages.LOADED == ["acme_jobs"], "the others go on"


def test_one_that_is_not_there(write: Callable[[str, str], None]) -> None:
    assert load("acme_none") == ["acme_none is not installed: there is no such module."]
    assert load("acme_none.jobs")[1:] == ["acme_none.jobs is not installed: there is no module acme_none."]


def test_a_distribution_names_its_module_as_an_entry_point(write: Callable[[str, str], None], tmp_path: Path) -> None:
    write("acme_jobs", WHOLE)
    info = tmp_path / "acme_jobs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-jobs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[offload.jobs]\nacme = acme_jobs\n")
    packages.load_packages({})
    assert packages.LOADED == ["acme_jobs"]


def test_the_environment_bounds_and_adds_queues(
    write: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    variables = {
        "OFFLOAD_DATA_DIR": str(tmp_path),
        "OFFLOAD_JOBS": "acme_jobs",
        "OFFLOAD_QUEUES__NIGHTLY_SUMS__JOBS_AT_ONCE": "4",
        "OFFLOAD_QUEUES__ACME_BILLS__RETRIES": "1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    write("acme_jobs", WHOLE)
    packages.load_packages(os.environ)
    settings = read_settings(os.environ)
    assert settings.jobs == ("acme_jobs",)
    assert (settings.queues[Queue("nightly-sums")].jobs_at_once, settings.queues[Queue("nightly-sums")].retries) == (
        4,
        2,
    )
    assert (settings.queues[Queue("acme-bills")].jobs_at_once, settings.queues[Queue("acme-bills")].retries) == (3, 1)
    monkeypatch.setenv("OFFLOAD_QUEUES__EMAL_SENDER__JOBS_AT_ONCE", "4")
    with pytest.raises(SystemExit, match="EMAL_SENDER__JOBS_AT_ONCE names no queue"):
        read_settings(os.environ)
    load_settings.cache_clear()


def test_a_worker_class_and_the_command_line_know_its_queue(write: Callable[[str, str], None], tmp_path: Path) -> None:
    write("acme_jobs", WHOLE)
    write("acme_bad", "raise ValueError('no licence')")
    code = """
import arq.worker
from arq.utils import import_string
from click.testing import CliRunner
from service.supervisor.stack import worker_classes
given = arq.worker.get_kwargs(import_string("tasks.workers.AcmeBills"))
print(given["queue_name"], given["max_jobs"], [f.name for f in given["functions"]], worker_classes()["acme-bills"])
from service.cli.main import main
print(CliRunner().invoke(main, ["worker", "bills"]).output)
"""
    environment = os.environ | {
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "OFFLOAD_JOBS": "acme_bad,acme_jobs",
        "OFFLOAD_DATA_DIR": str(tmp_path / "data"),
        "OFFLOAD_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("acme-bills 3 ['acme-book'] tasks.workers.AcmeBills\n")
    assert "'bills' is not one of" in done.stdout and "'acme-bills'" in done.stdout
    assert "no licence" in done.stderr and "package.left_out" in done.stderr
