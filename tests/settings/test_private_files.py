"""The data folder is closed to other users, or refused."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from settings.private_files import create_private, private_folder, write_private
from tests.full_disk import no_room


@pytest.fixture(autouse=True)
def same_mask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_new_folder_and_its_files_are_its_users_alone(tmp_path: Path) -> None:
    private_folder(tmp_path / "a" / "data")
    (tmp_path / "a" / "data" / "file").touch()
    assert (mode(tmp_path / "a" / "data"), mode(tmp_path / "a" / "data" / "file")) == (0o700, 0o600)


def test_an_open_folder_is_closed_with_what_is_in_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch(0o644)
    data = tmp_path / "data"
    (data / "files" / "documents").mkdir(parents=True)
    for name in ("offload.db", "files/documents/a"):
        (data / name).touch()
        (data / name).chmod(0o644)
    (data / "link").symlink_to(outside)
    data.chmod(0o755)
    private_folder(data)
    assert {mode(data / name) for name in ("offload.db", "files/documents/a")} == {0o600}
    assert {mode(data), mode(data / "files"), mode(data / "files/documents")} == {0o700}
    assert mode(outside) == 0o644, "nothing outside is touched"


def test_a_folder_that_all_share_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(SystemExit, match=r"can be read by every user.*name a folder inside it"):
        private_folder(shared)
    assert mode(shared) == 0o1777
    private_folder(shared / "inside")


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"OFFLOAD_DATA_DIR: .* cannot be made"):
        private_folder(tmp_path / "file" / "data")


def test_a_worker_closes_it_before_anything_is_kept(settings_env: dict[str, str]) -> None:
    data = Path(settings_env["OFFLOAD_DATA_DIR"])
    data.chmod(0o755)
    (data / "offload.db").chmod(0o644)
    command = [sys.executable, "-c", "import tasks.workers"]
    subprocess.run(command, env=os.environ | settings_env, check=True, timeout=120)
    assert (mode(data), mode(data / "offload.db")) == (0o700, 0o600)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    for write in (write_private, create_private):
        with no_room(), pytest.raises(OSError):
            write(tmp_path / "secret", "text")
    assert list(tmp_path.iterdir()) == []
