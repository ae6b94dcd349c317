"""Files that only their owner may read, written whole or not at all, in a folder that is closed to others."""

import os
import secrets
import stat
from pathlib import Path

OTHERS = 0o007
GROUP_AND_OTHERS = 0o077


def private_folder(folder: Path) -> None:
    """Make the folder, or close the one that is there to every other user, with all that is in it; and have all
    files that this process and its children make from now on be its user's alone.

    Documents, the database and exports lie below it. Raises SystemExit with one sentence where it is open to others and
    not ours to close: another user's, or one that all share as /tmp is.
    """
    os.umask(GROUP_AND_OTHERS)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"OFFLOAD_DATA_DIR: {folder} cannot be made: {error.strerror}.") from None
    found = folder.stat()
    ours = found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX
    if not ours and found.st_mode & OTHERS:
        raise SystemExit(
            f"OFFLOAD_DATA_DIR: {folder} can be read by every user of this machine and is not this user's to close: name "
            "a folder inside it, or one of your own."
        )
    if ours and found.st_mode & GROUP_AND_OTHERS:
        folder.chmod(stat.S_IMODE(found.st_mode) & ~GROUP_AND_OTHERS)
        # A copy, a backup or an open handle may have their own way in: the files too.
        for path in folder.rglob("*"):
            _close(path)


def _close(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & GROUP_AND_OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~GROUP_AND_OTHERS)
    except OSError:
        # Gone in the meantime, or another user's: the folder is closed all the same.
        return


def _written_aside(path: Path, text: str) -> Path:
    """`text` in a new 0600 file next to `path`, on disk before this returns."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        # Each start on a full disk would leave another one.
        aside.unlink()
        raise
    return aside


def write_private(path: Path, text: str) -> None:
    """Put `text` at `path`, replacing what is there. Raises OSError where the folder cannot be written."""
    os.replace(_written_aside(path, text), path)


def create_private(path: Path, text: str) -> str:
    """Put `text` at `path` unless something is there already, and return what is there.

    However many processes start at once, all of them return the text of the one that came first: link(2) fails where
    the name exists, and the name appears only with its whole content.
    """
    if not path.exists():
        aside = _written_aside(path, text)
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return path.read_text(encoding="utf-8")
