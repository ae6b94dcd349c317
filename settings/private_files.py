"""Files that only their owner may read, written whole or not at all."""

import os
import secrets
from pathlib import Path


def _written_aside(path: Path, text: str) -> Path:
    """`text` in a new 0600 file beside `path`, on disk before this returns."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
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
