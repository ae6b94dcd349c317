"""Generated credentials: made once, kept private, the same for every process of an installation."""

import subprocess
import sys
from pathlib import Path

import pytest

from settings import Settings
from settings.credentials import Role

PRINT_KEYS = (
    "from settings import load_settings; s = load_settings(); print(s.api_keys, s.dashboard_users['admin'].password)"
)


def test_processes_that_start_together_agree(tmp_path: Path):
    environment = {"OFFLOAD_DATA_DIR": str(tmp_path)}
    together = [
        subprocess.Popen([sys.executable, "-c", PRINT_KEYS], env=environment, stdout=subprocess.PIPE) for _ in range(6)
    ]
    answers = {process.communicate()[0] for process in together}
    assert len(answers) == 1 and b"demo" in answers.pop()
    assert [path.name for path in tmp_path.iterdir()] == ["credentials"]


def test_only_the_owner_may_read_them(tmp_path: Path):
    settings = Settings(data_dir=tmp_path / "new")
    assert settings.dashboard_users["admin"].role is Role.OPERATOR
    assert settings.dashboard_users["viewer"].role is Role.VIEWER
    assert settings.credentials_file.stat().st_mode & 0o777 == 0o600
    assert settings.data_dir.stat().st_mode & 0o777 == 0o700


def test_two_installations_share_nothing(tmp_path: Path):
    one, two = Settings(data_dir=tmp_path / "one"), Settings(data_dir=tmp_path / "two")
    assert one.api_keys.keys().isdisjoint(two.api_keys)


@pytest.mark.parametrize("damage", ["", "OFFLOAD_API_KEYS=demo:long-enough\n", "nonsense\n"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str):
    (tmp_path / "credentials").write_text(damage)
    with pytest.raises(SystemExit, match="credentials is damaged: delete it"):
        _ = Settings(data_dir=tmp_path).api_keys


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        SystemExit, match=r"OFFLOAD_DATA_DIR is '.*file/below', where credentials cannot be kept: Not a directory"
    ):
        _ = Settings(data_dir=tmp_path / "file" / "below").api_keys


def test_the_queue_server_is_the_configured_one_or_the_running_one(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(SystemExit, match="No queue server: set OFFLOAD_REDIS_URL, or run `offload up`"):
        settings.queue_server_url()
    settings.redis_url_file.write_text("redis://127.0.0.1:7000\n")
    assert settings.queue_server_url() == "redis://127.0.0.1:7000"
    assert Settings(data_dir=tmp_path, redis_url="redis://other").queue_server_url() == "redis://other"
