"""The JavaScript client against the real API, and its committed files against their sources. It needs node."""

import asyncio
import base64
import datetime
import filecmp
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.api.conftest import ACME, GLOBEX, Served
from tests.api.hands import QUEUE, Hands
from tests.ocr.documents import text_pdf
from tests.ports import free_port
from tests.waiting import wait_until_async

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "clients" / "js"
MODULES = ROOT / "static" / "client"


@pytest.fixture(scope="module")
def node() -> str:
    """Path of a node that the client promises to run on."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node: the JavaScript client is tried where one is installed")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < 18:
        pytest.skip(f"node {version.strip()} is older than the 18 that the client needs")
    return found


@pytest.fixture(scope="module")
def tools(node: str) -> Path:
    """The compiler and the generator of types, installed as package-lock.json pins them."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm: the client's committed files are compared where one is installed")
    if not (PACKAGE / "node_modules" / ".package-lock.json").exists():
        done = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=PACKAGE, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"npm cannot install the client's tools: {done.stderr.strip()[-200:]}")
    return PACKAGE / "node_modules" / ".bin"


async def work(hands: Hands, seen: Path) -> None:
    """Do jobs forever: a document called blank fails; others wait at 50 % until the client has seen it."""
    while True:
        await wait_until_async(lambda: waiting(hands), limit_s=300)
        job = await hands.take()
        document = await hands.services.files.describe(job.payload["file_id"])
        if "blank" in document.name:
            await hands.fail(job, "the page is blank")
            continue
        await hands.progress(job, 50, "Processing page 1 of 2 (50%)", pages_processed=1, total_pages=2)
        await wait_until_async(lambda mark=seen / job.id: mark.exists())
        await hands.complete(job, text_txt=b"read")


async def waiting(hands: Hands) -> bool:
    return bool((await hands.services.store.list(queue=QUEUE, state="queued")).jobs)


async def test_every_verb_against_the_real_server(node: str, served: Served, hands: Hands, tmp_path: Path) -> None:
    environment = {
        "URL": served.url,
        "KEY": ACME,
        "OTHER_KEY": GLOBEX,
        "NOWHERE": f"http://127.0.0.1:{free_port()}",
        "CLIENT": str(MODULES),
        "SEEN": str(tmp_path),
        "PDF": base64.b64encode(text_pdf(pages=2)[0]).decode(),
    }
    working = asyncio.create_task(work(hands, tmp_path))
    trying = await asyncio.create_subprocess_exec(
        node, "--test", str(PACKAGE / "test" / "client.test.mjs"), env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = await trying.communicate()
    finally:
        if trying.returncode is None:
            trying.kill()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert trying.returncode == 0, output.decode()


def test_parts_that_need_no_server(node: str) -> None:
    secret, body = f"whsec_{base64.b64encode(b'x' * 24).decode()}", '{"type": "job.completed", "data": {"id": "ä"}}'
    now = datetime.datetime.now(datetime.UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }
    environment = {
        "CLIENT": str(MODULES),
        "SIGNED": json.dumps({"secret": secret, "headers": headers, "body": body}),
    }
    done = subprocess.run(
        [node, "--test", PACKAGE / "test" / "parts.test.mjs"],
        env=os.environ | environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_modules_that_are_served_are_those_of_the_sources(tools: Path, tmp_path: Path) -> None:
    command = [tools / "tsc", "-p", PACKAGE / "tsconfig.browser.json", "--outDir", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    compared = filecmp.dircmp(tmp_path, MODULES)
    differing = compared.left_only + compared.right_only + compared.diff_files
    assert differing == [], f"run `npm run build` in clients/js: static/client is of other sources: {differing}"


def test_the_types_are_those_of_the_servers_document(tools: Path) -> None:
    command = [sys.executable, PACKAGE / "scripts" / "generate_types.py", "--print"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    same = done.stdout == (PACKAGE / "src" / "schema.ts").read_text(encoding="utf-8")
    assert same, "run `npm run types` in clients/js: the API's document has changed"
