"""A document that has taken over its reader, in a real child of the pool: it reaches nothing, and honest work goes on."""

import os
import socket
import subprocess
import sys
import types
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.engine.pool.cpu_pool import CpuPool
from service.lib.sandbox.confine import Held
from service.lib.sandbox.profiles import checked, database_of, rules_of
from service.lib.sandbox.programs import confined, held_here
from service.lib.sandbox.rules import Rules
from service.lib.sandbox.system import importable, packages
from settings import Settings
from tests.lib.sandbox import hostile

needs_kernel = pytest.mark.skipif(held_here().state != "on", reason=held_here().words)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data folder, a scratch folder, and a stranger's secret."""
    folder = tmp_path_factory.mktemp("sandbox")
    for name in ("scratch", "data"):
        (folder / name).mkdir()
    (folder / "shadow").write_text("root:secret")
    (folder / "data" / "redis.url").write_text("redis://:secret@localhost")
    return folder


@pytest.fixture(scope="module")
def settings(place: Path) -> Settings:
    return Settings(data_dir=place / "data")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(place: Path, settings: Settings) -> AsyncIterator[CpuPool]:
    pool = CpuPool(1, name="sandbox", rules=rules_of(settings, place / "scratch"))
    yield pool
    await pool.close()


async def test_a_library_finds_an_empty_home_that_it_may_write_to(pool: CpuPool, place: Path) -> None:
    assert await pool.run(hostile.home, timeout_s=60) == (str(place / "scratch"), "ENOENT")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def saw_nothing(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except BlockingIOError:
        return True
    return False


@needs_kernel
async def test_it_reaches_no_server(pool: CpuPool, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert await pool.run(hostile.connect, port) == "EACCES"
    assert "PermissionError" in await pool.run(hostile.connect_past_python, port)
    assert saw_nothing(listener)
    assert hostile.connect(port) == "done"
    assert not saw_nothing(listener)


@needs_kernel
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"])
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"])
async def test_it_opens_no_socket(pool: CpuPool, family: str, kind: str) -> None:
    assert await pool.run(hostile.open_socket, getattr(socket, family), getattr(socket, kind)) == "EACCES"


@needs_kernel
async def test_it_reads_documents_and_no_secret(pool: CpuPool, place: Path, settings: Settings) -> None:
    document = place / "data" / "files" / "document.pdf"
    document.write_bytes(b"%PDF")
    assert await pool.run(hostile.read, document) == "done"
    for secret in (place / "shadow", place / "data" / "redis.url", Path("/etc/shadow"), Path.home() / ".bashrc"):
        assert await pool.run(hostile.read, secret) in ("EACCES", "ENOENT")
    assert await pool.run(hostile.read, place / "shadow") == "EACCES"
    assert await pool.run(hostile.listing, place) == "EACCES"


@needs_kernel
async def test_it_writes_to_its_scratch_folder_alone(pool: CpuPool, place: Path) -> None:
    document = place / "data" / "files" / "kept.pdf"
    document.write_bytes(b"%PDF")
    assert await pool.run(hostile.write, place / "scratch" / "page.png") == "done"
    assert (await pool.run(hostile.temporary)).parent == place / "scratch"
    for target in (place / "planted", place / "data" / "planted", document, Path(hostile.__file__)):
        assert await pool.run(hostile.write, target) == "EACCES"
    assert await pool.run(hostile.remove, document) == "EACCES"
    assert await pool.run(hostile.change_mode, document) == "EACCES"
    assert await pool.run(hostile.link_out, place / "scratch" / "out", place / "shadow") == "EACCES"
    assert document.read_bytes() == b"%PDF"


@needs_kernel
async def test_it_neither_signals_nor_reads_its_worker(pool: CpuPool) -> None:
    assert await pool.run(hostile.signal_parent) == "EPERM"
    for name in ("environ", "mem", "maps"):
        assert await pool.run(hostile.read_of_parent, name) in ("EACCES", "EPERM")


@needs_kernel
async def test_its_files_have_a_bound(pool: CpuPool, place: Path, settings: Settings) -> None:
    rules = rules_of(settings, place)
    assert rules is not None
    bound = rules.file_bytes
    assert await pool.run(hostile.file_of, place / "scratch" / "large", bound + 1) == "EFBIG"
    assert await pool.run(hostile.file_of, place / "scratch" / "large", 1000) == "done"


async def test_a_child_is_confined_before_it_has_other_threads(pool: CpuPool) -> None:
    # Landlock binds the thread that asks for it, and those that it starts later.
    assert await pool.run(hostile.threads) == 1


@needs_kernel
async def test_a_child_of_a_queue_that_reaches_the_network_reaches_it(
    place: Path, settings: Settings, listener: socket.socket
) -> None:
    pool = CpuPool(1, name="network", rules=rules_of(settings, place / "scratch", "network"))
    try:
        assert await pool.run(hostile.connect, listener.getsockname()[1]) == "done"
        assert await pool.run(hostile.read, place / "shadow") == "EACCES"
    finally:
        await pool.close()
    assert not saw_nothing(listener)


@needs_kernel
async def test_a_child_that_reads_the_database_reaches_its_port_alone(place: Path, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    settings = Settings(data_dir=place / "data", database_url=f"postgresql+asyncpg://u:p@127.0.0.1:{port}/offload")
    pool = CpuPool(1, name="database", rules=rules_of(settings, place / "scratch", "database"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        try:
            assert await pool.run(hostile.connect, port) == "done"
            assert await pool.run(hostile.connect, other.getsockname()[1]) == "EACCES"
        finally:
            await pool.close()


@needs_kernel
def test_a_program_is_confined_too(place: Path, settings: Settings, listener: socket.socket) -> None:
    rules = rules_of(settings, place / "scratch")
    code = "import sys; open(sys.argv[1])"
    for path, ends_well in ((place / "shadow", False), (Path(os.__file__), True)):
        command = [sys.executable, "-I", "-S", "-c", code, str(path)]
        assert subprocess.run(confined(command, None), check=False).returncode == 0
        done = subprocess.run(confined(command, rules), capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is ends_well, done.stderr
    code = f"import socket; socket.create_connection(('127.0.0.1', {listener.getsockname()[1]}))"
    done = subprocess.run(confined([sys.executable, "-c", code], rules), capture_output=True, text=True, check=False)
    assert "PermissionError" in done.stderr and saw_nothing(listener)


def test_rules_survive_a_command_line(settings: Settings, place: Path) -> None:
    rules = rules_of(settings, place / "scratch", "database", reads_pages=True)
    assert rules is not None and Rules.of_json(rules.json()) == rules


def test_source_next_to_a_users_files_is_read_without_them(tmp_path: Path) -> None:
    for folder in ("acme_jobs", "data", ".git", "acme-1.dist-info"):
        (tmp_path / folder).mkdir()
    for file in ("acme.py", ".env", "fast.so", "credentials.json"):
        (tmp_path / file).touch()
    found = {Path(path).name for path in importable(tmp_path, tmp_path / "data")}
    assert found == {"acme_jobs", "acme-1.dist-info", "acme.py", "fast.so"}


def test_the_database_of_each_kind_of_url() -> None:
    assert database_of("sqlite+aiosqlite:////srv/offload.db") == (Path("/srv/offload.db"), None)
    assert database_of("postgresql+asyncpg://u:p@db/offload") == (None, (5432,))
    assert database_of("postgresql+asyncpg://u:p@db:6000/offload") == (None, (6000,))
    assert database_of("postgresql+asyncpg:///offload?host=a:1&host=b:2") == (None, None)


LACKING = Held(0, False, ("files (the kernel is without Landlock)",))


def test_without_the_kernel_it_goes_on_with_a_line_or_refuses_as_asked(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("service.lib.sandbox.profiles.held_here", lambda: LACKING)
    assert checked(Settings(data_dir=place / "data")) == LACKING
    with pytest.raises(
        SystemExit, match=r"OFFLOAD_SANDBOX=require: children .* cannot be confined here: not held: files"
    ):
        checked(Settings(data_dir=place / "data", sandbox="require"))
    off = Settings(data_dir=place / "data", sandbox="off")
    assert checked(off) is None and rules_of(off, place) is None


@pytest.mark.parametrize(
    ("held", "state", "enough"),
    [
        (Held(7, True), "on", True),
        (Held(2, True, ("signals",)), "partial", True),
        (Held(7, False, ("sockets",)), "partial", True),
        (Held(3, False, ("sockets",)), "partial", False),
        (Held(0, True, ("files",)), "partial", False),
        (LACKING, "none", False),
    ],
)
def test_what_a_kernel_holds_in_words(held: Held, state: str, enough: bool) -> None:
    assert (held.state, held.enough) == (state, enough)
    assert all(lack in held.words for lack in held.lacks)


def test_a_package_that_is_on_no_search_path_can_be_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an editable installation, from another folder: the interpreter lists the package's own folder."""
    package = tmp_path / "elsewhere"
    (package / "inner").mkdir(parents=True)
    (package / "data").mkdir()
    module = types.ModuleType("elsewhere")
    module.__path__ = [str(package)]
    monkeypatch.setitem(sys.modules, "elsewhere", module)
    assert str(package) in packages(tmp_path / "data")
    guarded = packages(package / "data")
    assert str(package / "inner") in guarded and not {str(package), str(package / "data")} & set(guarded)
