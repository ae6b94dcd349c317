"""Restoration of a backup: every part is copied next to its place before the first is put into it."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from service.supervisor.backup import (
    DUMP,
    LOG_FOLDER,
    MANIFEST,
    BackupError,
    local_files,
    reason_of,
    run_postgres,
    secret_files,
)
from settings import Settings


def restore(settings: Settings, source: Path) -> list[str]:
    """Put a backup in the place of what this machine holds, which is moved aside and kept. Raises BackupError."""
    if not (source / MANIFEST).exists():
        raise BackupError(f"{source} is not a whole backup: it has no {MANIFEST}.")
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.queue_dir.mkdir(mode=0o700, exist_ok=True)
    aside = settings.data_dir / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    parts = _parts(settings, source)
    # Each next to its place first: where there is no room, what is here stays as it is.
    with _nothing_running(settings), _staged(parts):
        restored = _restore_postgres(settings, source)
        for _, target, name in parts:
            _move_aside(target, aside)
            if name == "database":
                for suffix in ("-wal", "-shm"):
                    # Of the database that goes: read with the other, they would ruin it.
                    _move_aside(target.with_name(target.name + suffix), aside)
            os.replace(_stage(target), target)
    done = [
        f"The {name} {'are' if name.split()[0].endswith('s') else 'is'} restored." for _, _, name in parts
    ] + restored
    if aside.exists():
        done.append(f"What was there before is kept in {aside}.")
    return done


@contextlib.contextmanager
def _nothing_running(settings: Settings) -> Iterator[None]:
    """Hold the queue server's own lock: it must not run, nor be started, over files that are being replaced."""
    with (settings.queue_dir / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Offload runs over {settings.data_dir}: stop it first.") from None
        yield


def _restore_postgres(settings: Settings, source: Path) -> list[str]:
    if settings.database_url.startswith("sqlite") or not (source / DUMP).exists():
        return []
    run_postgres("pg_restore", settings, "--clean", "--if-exists", "--no-owner", "--dbname=", str(source / DUMP))
    return ["The database is restored."]


def _parts(settings: Settings, source: Path) -> list[tuple[Path, Path, str]]:
    """Parts of the backup for this machine: where each lies there, its place here, and its name in a sentence."""
    parts = [(source / "queue" / LOG_FOLDER, settings.queue_dir / LOG_FOLDER, "queue")]
    url = urlsplit(settings.database_url)
    if url.scheme.startswith("sqlite"):
        parts.append((source / "offload.db", Path(unquote(url.path[1:])), "database"))
    if (root := local_files(settings)) is not None:
        parts.append((source / "files", root, "files"))
    parts += [(source / file.name, file, f"contents of {file.name}") for file in secret_files(settings)]
    return [part for part in parts if part[0].exists()]


def _stage(target: Path) -> Path:
    return target.with_name(f".{target.name}.restoring")


@contextlib.contextmanager
def _staged(parts: Sequence[tuple[Path, Path, str]]) -> Iterator[None]:
    """Every part copied next to its place; what still lies there at the end is removed. Raises BackupError."""
    try:
        for source, target, _ in parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            # Of an attempt that was killed.
            _remove(_stage(target))
            _copy(source, _stage(target))
        yield
    finally:
        for _, target, _ in parts:
            _remove(_stage(target))


def _copy(source: Path, target: Path) -> None:
    try:
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    except (shutil.Error, OSError) as error:
        raise BackupError(f"The backup cannot be put here ({reason_of(error)}): what was here is as it was.") from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _move_aside(path: Path, aside: Path) -> None:
    if path.exists():
        aside.mkdir(mode=0o700, exist_ok=True)
        shutil.move(path, aside / path.name)
