"""Headers by which browsers and caches are told what they must not do, on every kind of answer."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from service.lib.bounded_connection import BoundedConnection
from tests.conftest import API_KEYS
from tests.dashboard.conftest import OPERATOR, Client

ROOT = Path(__file__).parents[2]
KEY = {"Authorization": f"Bearer {API_KEYS.split(',')[0].partition(':')[2]}"}

ANSWERS = {
    "/admin/queues": 401,
    "/api/jobs": 200,
    "/api/files/file-none": 404,
    "/api/no-such-thing": 404,
    "/health/live": 200,
    "/metrics": 200,
    "/unsubscribe/forged": 404,
}
"""One of each kind that holds, or could hold, what belongs to an owner."""


@pytest.mark.parametrize("path", ANSWERS)
async def test_no_answer_is_kept_or_framed_or_sniffed_at(anybody: Client, path: str) -> None:
    answer = await anybody.get(path, headers=KEY)
    assert answer.status_code == ANSWERS[path]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
    assert "server" not in answer.headers


async def test_the_page_of_an_operator_is_not_kept_either(anybody: Client) -> None:
    answer = await anybody.get("/admin/queues", auth=OPERATOR)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


async def test_the_api_reference_runs_nothing_and_has_its_own_style_only(anybody: Client) -> None:
    answer = await anybody.get("/schema", headers={"Accept": "text/html"})
    policy = answer.headers["content-security-policy"]
    assert "script" not in policy and "unsafe" not in policy and "form-action 'none'" in policy
    styles = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles]
    assert len(digests) == 1 and f"'sha256-{digests[0]}'" in policy


COMMANDS = (
    "Procfile",
    "Dockerfile",
    "deploy/systemd/offload-web.service",
    "service/supervisor/stack.py",
    "offload/testing/server.py",
)


@pytest.mark.parametrize("file", COMMANDS)
def test_each_command_that_starts_the_web_application_bounds_connections_and_names_no_server(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    bounds = f"--http={BoundedConnection.__module__}:{BoundedConnection.__name__}"
    wanted = ("--no-access-log", "--no-server-header", bounds, "--ws-max-size=65536")
    assert [text.count(argument) for argument in wanted] == [1] * len(wanted)
