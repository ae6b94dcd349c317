"""Real parts for every test: one private Valkey for the session, a clean database and a folder for each test."""

import os
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import hypothesis
import pytest
import redis
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from service.lib.clock import SERVER
from service.supervisor.valkey import EmbeddedValkey
from settings import load_settings
from tests.databases import (
    database,
    database_kind,
    either_url,
    empty_postgres_url,
    on_both_databases,
    postgres_server,
    postgres_url,
    sqlite_template,
    sqlite_url,
)
from tests.parts import parts

__all__ = [
    "database",
    "database_kind",
    "either_url",
    "empty_postgres_url",
    "parts",
    "postgres_server",
    "postgres_url",
    "sqlite_template",
    "sqlite_url",
]

# Images set this. Without bytecode each of the hundreds of processes that tests start would compile all of the source
# again, a third of its start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Libraries behave otherwise where CI is set (OpenVINO's converter writes to no home then): the processes that tests start must
# be those that an operator starts. What the tests themselves go by is kept under another name, for their own processes too.
if "CI" in os.environ:
    os.environ["TESTS_IN_CI"] = os.environ.pop("CI")
if os.environ.get("TESTS_IN_CI"):
    hypothesis.settings.load_profile("ci")

os.environ.setdefault("OFFLOAD_OCR_PREPARE", "false")
# Every PDF worker of the tests would calibrate networks again, minutes of a core each, in its own empty folder.

TESTS = Path(__file__).parent
ON_REQUEST = {"production": TESTS / "production", "container": TESTS / "deploy" / "containers"}
"""Folders by their mark of tests that take ten minutes, and what not every machine has: `-m production` runs them, or
their path."""

TOGETHER = {"browser", "chaos", "ocr"}
"""Folders that stay in one process where several run the tests: they share what takes long to start, or the whole machine."""

LONGEST = ("browser", "ocr", "mail", "engine")
"""Folders that take minutes, longest first, after what is marked as chaos."""

API_KEYS = "acme:acme-secret-key-1,globex:globex-secret-key-2"
DASHBOARD_USERS = "admin:admin-password-1:operator,viewer:viewer-password-1:viewer"


class WholeFiles(LoadScopeScheduling):
    """Where several processes run the tests, each takes whole files, or folders, for the sake of their fixtures."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.split("/")[1]
        return folder if folder in TOGETHER else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholeFiles:
    return WholeFiles(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--both-databases", action="store_true", help="run every test that sends SQL on PostgreSQL too")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_both_databases(metafunc)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long ones first, so that no process is left with them at the end; those of ON_REQUEST, and what is marked `slow` or
    `long`, only where asked for."""
    requests = (config.option.markexpr, *config.args)
    left_out = []
    for mark, folder in ON_REQUEST.items():
        inside = [item for item in items if folder in item.path.parents]
        for item in inside:
            item.add_marker(mark)
        if not any(mark in requested for requested in requests):
            left_out += inside
    named = {config.invocation_params.dir / request.partition("::")[0] for request in config.args}
    for mark in ("slow", "long"):
        if mark not in config.option.markexpr:
            marked = [item for item in items if item.get_closest_marker(mark)]
            left_out += marked if mark == "long" else [item for item in marked if item.path not in named]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    if item.get_closest_marker("chaos"):
        return 0
    return 1 + LONGEST.index(folder) if folder in LONGEST else 1 + len(LONGEST)


@pytest.fixture(scope="session", autouse=True)
def certificates_are_read_once() -> Iterator[None]:
    """Clients of this process share what they trust: loading the certificates of the world takes each a fifth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        # Its name at the place of use: the product's own calls of httpx.create_ssl_context stay what they are.
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """The session's server. A test that kills servers starts its own, so that no other test notices."""
    # A write is on disk within a second: only a power cut tells the difference, and every test is a quarter faster.
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey"), fsync="everysec") as server:
        yield server


@pytest.fixture(scope="session")
def valkey(valkey_server: EmbeddedValkey) -> str:
    """URL of the session's server, with whatever earlier tests left in it."""
    return valkey_server.url


@pytest.fixture(autouse=True)
def own_clock() -> None:
    """No test goes by the clock of a server that the test before has heard."""
    SERVER.ahead_ms = None


@pytest.fixture
def redis_url(valkey: str) -> str:
    """URL of the session's server, emptied."""
    with redis.Redis.from_url(valkey) as client:
        client.flushall()
        client.config_resetstat()
    return valkey


@pytest.fixture
def settings_env(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_url: str, database_kind: str
) -> Iterator[dict[str, str]]:
    """The OFFLOAD_ variables of a private installation, set in this process for the length of the test.

    Its database, of the test's kind, is migrated and empty.
    """
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    environment = {}
    if database_kind == "postgresql":
        environment["OFFLOAD_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    else:
        # Where the settings look for it by default.
        shutil.copy(request.getfixturevalue("sqlite_template"), data)
    environment |= {
        "OFFLOAD_DATA_DIR": str(data),
        "OFFLOAD_REDIS_URL": redis_url,
        "OFFLOAD_API_KEYS": API_KEYS,
        "OFFLOAD_DASHBOARD_USERS": DASHBOARD_USERS,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    yield environment
    load_settings.cache_clear()
