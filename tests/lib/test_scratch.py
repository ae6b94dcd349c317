"""Scratch folders: there while their process lives, and removed after a kill -9 of it by the next one."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from service.lib.scratch import PREFIX, YOUNG_S, in_use, remove_abandoned, scratch_folder

HOLD = "from service.lib.scratch import ScratchFolder; print(ScratchFolder().path, flush=True); input()"


def aged(path: Path) -> None:
    then = time.time() - YOUNG_S - 1
    os.utime(path, (then, then))


def test_a_killed_processs_folder_goes_and_a_living_ones_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    holders = [
        subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        for _ in range(2)
    ]
    folders = []
    for holder in holders:
        assert holder.stdout is not None
        folders.append(Path(holder.stdout.readline().decode().strip()))
        (folders[-1] / "page.png").write_bytes(b"plain")
    (other := tmp_path / "offload-of-another").mkdir()
    (young := tmp_path / f"{PREFIX}young").mkdir()
    (old := tmp_path / f"{PREFIX}old").mkdir()
    aged(other)
    aged(old)
    try:
        assert remove_abandoned() == 1 and not old.exists()
        holders[0].kill()
        holders[0].wait(10)
        assert remove_abandoned() == 1
        assert not folders[0].exists() and (folders[1] / "page.png").exists() and other.exists() and young.exists()
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()


def test_a_folder_goes_with_its_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch_folder() as folder:
        (folder / "x").write_bytes(b"x")
        assert remove_abandoned() == 0 and folder.exists()
    assert not folder.exists()


def test_a_process_that_ends_in_order_leaves_nothing_and_its_folder_is_in_use_until_then() -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    root = Path(holder.stdout.readline().strip()).parent
    assert in_use(root)
    holder.communicate("\n")
    assert not root.exists() and not in_use(root)
