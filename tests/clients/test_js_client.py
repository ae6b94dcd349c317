"""The JavaScript client against the real API, and its committed files against their sources. It needs node."""

import asyncio
import base64
import datetime
import filecmp
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

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

WORDS = {"title", "description", "default", "required", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
         "pattern", "format", "version", "openapi"}  # fmt: skip
"""Keys of an OpenAPI document that say nothing of which fields there are."""


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
def modules(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The served modules as a package has them: node 18 takes a .js file for a module only by its package.json."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(MODULES, folder, dirs_exist_ok=True)
    (folder / "package.json").write_text('{"type": "module"}')
    return str(folder)


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


async def test_every_verb_against_the_real_server(
    node: str, modules: str, served: Served, hands: Hands, tmp_path: Path
) -> None:
    environment = {
        "URL": served.url,
        "KEY": ACME,
        "OTHER_KEY": GLOBEX,
        "NOWHERE": f"http://127.0.0.1:{free_port()}",
        "CLIENT": modules,
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


def test_parts_that_need_no_server(node: str, modules: str) -> None:
    secret, body = f"whsec_{base64.b64encode(b'x' * 24).decode()}", '{"type": "job.completed", "data": {"id": "ä"}}'
    now = datetime.datetime.now(datetime.UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }
    environment = {
        "CLIENT": modules,
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


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    """scripts/generate_types.py as a module."""
    found = importlib.util.spec_from_file_location("generate_types", PACKAGE / "scripts" / "generate_types.py")
    assert found and found.loader
    module = sys.modules[found.name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    yield module
    del sys.modules[found.name]


def test_the_types_are_those_of_the_committed_document(tools: Path, generator: ModuleType) -> None:
    made = generator.types((PACKAGE / "openapi.json").read_text(encoding="utf-8"))
    same = made == (PACKAGE / "src" / "schema.ts").read_text(encoding="utf-8")
    assert same, "run `npm run types` in clients/js: src/schema.ts is of another openapi.json"


def test_the_server_keeps_what_the_clients_types_promise(generator: ModuleType) -> None:
    """Without node. What a server adds is harmless to the client that is out there; what it takes away breaks it."""
    promised = json.loads((PACKAGE / "openapi.json").read_text(encoding="utf-8"))
    missing = list(broken(promised, json.loads(json.dumps(generator.document()))))
    assert missing == [], "the API breaks clients; if that is meant, run `npm run types` in clients/js"


def test_a_promise_that_is_broken_is_noticed() -> None:
    promised = {"A": {"properties": {"x": {"type": "string"}}, "enum": ["a", "b"], "title": "One"}}
    kept = {"A": {"properties": {"x": {"type": "string"}, "y": {}}, "enum": ["c", "b", "a"], "title": "Two"}, "B": {}}
    assert list(broken(promised, kept)) == []
    assert list(broken(promised, {"A": {"properties": {}, "enum": ["a", "b"]}})) == ["A.properties.x"]
    assert list(broken(promised, {"A": {"properties": {"x": {"type": "integer"}}, "enum": ["a"]}})) == [
        "A.properties.x.type", "A.enum",
    ]  # fmt: skip


def broken(promised: Any, given: Any, path: str = "") -> Iterator[str]:
    """Places of a document at which another has not all that it has. Words and bounds do not count."""
    if isinstance(promised, dict) and isinstance(given, dict):
        for name, value in promised.items():
            place = f"{path}.{name}".lstrip(".")
            if name in WORDS and not isinstance(value, dict):
                continue
            if name in given:
                yield from broken(value, given[name], place)
            else:
                yield place
    elif isinstance(promised, list) and isinstance(given, list):
        if [one for one in promised if one not in given]:
            yield path
    elif promised != given and not (isinstance(given, list) and promised in given):
        yield path
