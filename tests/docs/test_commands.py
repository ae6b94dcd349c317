"""Every command of the README and the documents is run as it is written: `offload …` and `curl …`.

Some start or need processes of their own: they are run by the test that ELSEWHERE names, and here they are only read.
"""

import asyncio
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
import structlog
from click.testing import CliRunner

from service.cli.main import main
from settings import load_settings
from tests.api.conftest import ACME, Served, app, hands, served
from tests.api.hands import Hands
from tests.documents.videos.clips import clip
from tests.mail.campaigning import make_template

__all__ = ["app", "hands", "served"]

ROOT = Path(__file__).parents[2]

TEXTS = {
    path: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}

ELSEWHERE = {
    "up": ("tests/supervisor/test_up.py", "start("),
    "worker": ("tests/tasks/sdk/test_packages.py", '"worker"'),
    "top": ("tests/cli/test_top.py", "run_test("),
    "watch": ("tests/cli/test_watch.py", '"watch"'),
    "ocr": ("tests/cli/test_cli.py", '"ocr"'),
    "report": ("tests/reports/test_report_command.py", '"report"'),
    "relay": ("tests/clients/test_outbox.py", "relay.run("),
    "rewrap": ("tests/cli/test_encryption.py", '"rewrap"'),
    "backup": ("tests/supervisor/test_backup.py", "back_up(settings"),
    "capsule": ("tests/dashboard/test_capsule.py", "command.capsule"),
    "restore": ("tests/supervisor/test_backup.py", "restore(settings"),
}
"""Commands that are run by tests of their own, against what they need, each with the words by which that test runs it."""

NO_COMMAND = re.compile(r"offload( --help|\.| keys$|$)")


def documented() -> list[str]:
    """The `offload` commands with their arguments, each once. Words in capitals and `…` stand for something."""
    found: dict[str, None] = {}
    for text in TEXTS.values():
        blocks = re.findall(r"```(?:sh|bash)\n(.*?)```", text, re.S)
        lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
        for line in [*lines, *re.findall(r"`(offload [^`\n]+)`", text)]:
            line = line.partition(" #")[0].strip()
            if line.startswith("offload ") and not NO_COMMAND.fullmatch(line):
                found[line] = None
    return list(found)


def requests() -> list[tuple[str, str]]:
    """The `curl` commands, each with its document. A body may go on over lines."""
    blocks = [
        (path.name, block) for path, text in TEXTS.items() for block in re.findall(r"```sh\n(.*?)```", text, re.S)
    ]
    return [
        (name, command.replace("\\\n", " "))
        for name, block in blocks
        for command in re.findall(r"^curl .*?(?=^\S|\Z)", re.sub(r"^}", " }", block, flags=re.M), re.M | re.S)
    ]


@pytest.fixture(autouse=True)
def here(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands find this installation by their settings, as in its folder, and the sample by its path."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("OFFLOAD_PORT", served.url.rpartition(":")[2])
    load_settings.cache_clear()
    # The API runs in this process, and what it logged would be taken for the commands' output.
    with structlog.testing.capture_logs():
        yield


def resolved(words: list[str]) -> tuple[click.Command, str, list[str]]:
    """The command that words name, its whole name, and its arguments."""
    command: click.Command = main
    name: list[str] = []
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0]) if words else None
        assert found is not None, f"offload {' '.join(name)} has no command {words[:1]}"
        command, words, name = found, words[1:], [*name, words[0]]
    return command, " ".join(name), words


async def test_every_offload_command_does_what_it_says(
    served: Served, hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    async with httpx.AsyncClient(base_url=served.url, headers={"Authorization": f"Bearer {ACME}"}, timeout=60) as acme:
        for line in documented():
            words = await filled(line, acme, hands, tmp_path)
            command, name, arguments = resolved(words)
            if not arguments and (name == "cancel" or any(one.required for one in command.params)):
                continue  # a mere mention of its name
            # Whatever is run where: its options are there, and take what stands behind them.
            command.make_context(name, [*arguments]).close()
            if name in ELSEWHERE:
                continue
            # What writes into the present folder writes nothing into the tree.
            monkeypatch.chdir(tmp_path if name in ("new package", "erase") else ROOT)
            done = await asyncio.to_thread(CliRunner().invoke, main, words)
            assert done.exit_code in EXIT_CODES.get(name, {0}), f"{line}\n{done.output}"
            assert "Traceback" not in done.output, line
            ran.append(name)
    assert len(ran) >= 20 and {"keys rotate", "owners set", "retry-failed", "tail", "drain", "new package"} <= set(ran)


EXIT_CODES = {"health": {0, 1, 2}, "workers": {0, 1}, "erase": {0, 1}}
"""Those whose exit code tells how things are: here no worker runs, and there is nothing of the person who is erased."""


async def filled(line: str, acme: httpx.AsyncClient, hands: Hands, folder: Path) -> list[str]:
    """The words of a command, with something that there is for each that only stands for one."""
    words = shlex.split(line)[1:]
    if "JOB" in line:
        file_id = (await acme.post("/api/files", files={"file": (ROOT / "samples/scan.pdf").read_bytes()})).json()[
            "file_id"
        ]
        job_id = (await acme.post("/api/jobs/pdf-ocr", json={"file_id": file_id})).json()["job_id"]
        if words[0] == "tail":
            await hands.complete(await hands.take())
        words = [job_id if word in ("JOB", "JOB…") else word for word in words]
    if words[:2] in (["keys", "rotate"], ["keys", "revoke"]):
        made = await asyncio.to_thread(CliRunner().invoke, main, ["keys", "create", "--owner", "acme", "--name", "a"])
        words[2] = made.output.split()[0]
    if words[:2] == ["users", "add"]:
        words += ["--password", "a-password-for-eva"]  # which is else asked for
    if words == ["relay", "--status"]:
        words += ["--database-url", "postgresql://app@db/app"]  # which is set in the environment
    (folder / "copy").mkdir(exist_ok=True)
    folders = ("FOLDER", "DIR", "/backups/monday", "/archive/2026", "/srv/scans")
    given = dict.fromkeys(folders, str(folder / "copy")) | dict.fromkeys(("…", "invoices"), "csv-export")
    return [given.get(word, word.strip("[]")) for word in words]


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_what_is_run_elsewhere_is_run_there(name: str) -> None:
    file, words = ELSEWHERE[name]
    assert words in (ROOT / file).read_text(encoding="utf-8"), f"{file} does not run offload {name}"


NOT_HERE = ("/api/jobs/resize", "/api/jobs/report ", "/api/files/presigned", "/api/uploads", '"$URL"')
"""Requests for job types of the examples of docs/patterns.md, and uploads that need S3 or a command before them: tests/api has
those."""


def test_requests_are_found() -> None:
    assert len(requests()) >= 12


async def test_every_request_is_answered_as_the_documents_say(
    served: Served, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with httpx.AsyncClient(base_url=served.url, headers={"Authorization": f"Bearer {ACME}"}, timeout=60) as acme:
        # Its messages wait: nothing here takes mail.
        monkeypatch.setattr(served.services.owner_alerts, "_can_send", True)
        await acme.post("/api/files", files={"file": (ROOT / "samples/scan.pdf").read_bytes()})
        for document, command in requests():
            if any(path in command for path in NOT_HERE):
                continue
            method, url, arguments = await parsed(command, acme, hands)
            answer = await acme.request(method, url, **arguments)
            assert answer.status_code < 300, f"{document}: {command}\n{answer.status_code} {answer.text[:500]}"


async def parsed(command: str, acme: httpx.AsyncClient, hands: Hands) -> tuple[str, str, dict[str, Any]]:
    """Method, path and what else a request of curl takes, with what there is for each `…`."""
    words = shlex.split(command.replace("$KEY", ACME), comments=True)[1:]
    method, url, headers, data, files = "", "", {}, None, None
    while words:
        word = words.pop(0)
        match word:
            case "-X":
                method = words.pop(0)
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            case "-d":
                data = words.pop(0)
            case "-F":
                path = words.pop(0).partition("@")[2]
                files = {"file": (path, clip("plain") if path == "clip.mov" else (ROOT / path).read_bytes())}
            case "…":
                # What every request has: the key and the type of its body.
                headers["Content-Type"] = "application/json"
            case _:
                url = word[word.index("/api/") :]
    url, data = await with_ids(url, data, acme, hands)
    body: dict[str, Any] = (
        {"headers": headers} | ({"content": data} if data else {}) | ({"files": files} if files else {})
    )
    return method or ("POST" if data or files else "GET"), url, body


async def with_ids(url: str, data: str | None, acme: httpx.AsyncClient, hands: Hands) -> tuple[str, str | None]:
    """Ids of what there is, in the place of `…`."""
    if data and "…" in data:
        video = "video-transcode" in url
        content = clip("plain") if video else (ROOT / "samples/scan.pdf").read_bytes()
        file_id = (await acme.post("/api/files", files={"file": content})).json()["file_id"]
        data = data.replace('"template_id": "…"', f'"template_id": "{await make_template(acme)}"')
        data = data.replace('"user_ids": ["…"]', '"user_ids": [1]').replace("…", file_id)
        if video:
            data = data.replace('"480p","720p"', '"480p"')
    if "pdf-ocr-…" in url:
        file_id = (await acme.post("/api/files", files={"file": (ROOT / "samples/scan.pdf").read_bytes()})).json()[
            "file_id"
        ]
        job_id = (await acme.post("/api/jobs/pdf-ocr", json={"file_id": file_id, "priority": "high"})).json()["job_id"]
        if "/files/" in url:
            while (job := await hands.take()).id != job_id:
                await hands.complete(job)
            await hands.complete(job, text_txt=b"read")
        url = url.replace("pdf-ocr-…", job_id)
    if "/documents/…" in url:
        file_id = (await acme.post("/api/files", files={"file": clip("plain")})).json()["file_id"]
        # The clip is small: it has no larger format.
        url = url.replace("…", file_id).replace("720p", "480p")
    return url, data
