"""Control groups of the tests' own, where this machine lets them be made: the kernel kills for memory only in a real one."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.sdk.memory_group import VERSION_2, group_of_process
from tests.waiting import wait_until


@contextlib.contextmanager
def limited_group(limit_bytes: int) -> Iterator[Path]:
    """The folder of a group with a limit; a process joins by writing its id to `cgroup.procs`. Skips where none can be made."""
    group = group_of_process()
    if not group.folders:
        pytest.skip("no control group holds this process")
    # Version 2 gives no controller to a group within one that holds processes: only the top one may hold both.
    folder = group.folders[-1 if group.files == VERSION_2 else 0] / f"offload-test-{secrets.token_hex(4)}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here ({error.strerror})")
    try:
        try:
            (folder / group.files.limit).write_text(str(limit_bytes))
        except OSError as error:
            pytest.skip(f"a control group of ours has no limit of memory here ({error.strerror})")
        yield folder
    finally:
        # The last helper of a process that has ended may end a moment later.
        wait_until(lambda: _removed(folder))


def _removed(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()
