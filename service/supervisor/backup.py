"""Backup of an installation into a folder while it runs.

The queue is copied first, then the database, then the files. So the copy of the database knows whatever the copied queue
has begun (a campaign goes on where it was, and sends nothing twice), and the files hold whatever either of them names.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote, urlsplit

import redis

from service.lib.text import listed
from settings import Settings

MANIFEST = "backup.json"
LOG_FOLDER = "appendonlydir"
DUMP = "database.dump"
REWRITE = "auto-aof-rewrite-percentage"
REWRITTEN_S = 300.0
"""Longest wait for a rewriting of the log that is under way: a minute for a large one."""


class BackupError(Exception):
    """Reason why nothing was copied or restored, in one sentence."""


def back_up(settings: Settings, target: Path) -> list[str]:
    """Copy what this machine holds into the new folder `target`. Returns a sentence for each part. Raises BackupError."""
    if target.exists() and any(target.iterdir()):
        raise BackupError(f"{target} is not empty: name a folder that does not exist yet.")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        done = _copy(settings, target)
    except BaseException as error:
        # Half a copy would be in the way of the next try, and could be taken for a whole one.
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, shutil.Error | OSError | sqlite3.Error):
            raise BackupError(f"The copy in {target} cannot be made ({reason_of(error)}): it is removed.") from None
        raise
    return done


def reason_of(error: Exception) -> str:
    """The first reason of several, in the system's words."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        return str(error.args[0][0][-1])
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _copy(settings: Settings, target: Path) -> list[str]:
    done = [_queue(settings, target), _database(settings, target), _files(settings, target)]
    secrets = [file for file in secret_files(settings) if file.exists()]
    for file in secrets:
        shutil.copy2(file, target / file.name)
    if secrets:
        done.append("Generated credentials are copied: keep the folder as secret as they are.")
    if settings.encryption_keys:
        done.append("What is encrypted is copied so: OFFLOAD_ENCRYPTION_KEYS, which is not copied, reads it.")
    facts = {"version": version("offload"), "at": datetime.now(UTC).isoformat(timespec="seconds")}
    # Last: a folder without it is a copy that was cut short.
    (target / MANIFEST).write_text(json.dumps(facts) + "\n")
    return done


def secret_files(settings: Settings) -> list[Path]:
    """Files of generated secrets. Without the second, links in messages that were sent would lead nowhere."""
    return [settings.credentials_file, settings.data_dir / "unsubscribe.key"]


def _queue(settings: Settings, target: Path) -> str:
    if own := sorted(queue for queue, bounds in settings.queues.items() if bounds.redis_url):
        return f"{_main_queue(settings, target)} The servers of {listed(own)} need backups of their own."
    return _main_queue(settings, target)


def _main_queue(settings: Settings, target: Path) -> str:
    if settings.redis_url:
        return "The queue server is not copied: OFFLOAD_REDIS_URL names one that has its own backup."
    folder = settings.queue_dir / LOG_FOLDER
    if not folder.exists():
        return "There is no queue to copy."
    with _log_left_alone(settings):
        shutil.copytree(folder, target / "queue" / LOG_FOLDER)
    return "The queue is copied."


@contextlib.contextmanager
def _log_left_alone(settings: Settings) -> Iterator[None]:
    """No rewriting of the log within the block: it would take away the files that are being copied."""
    try:
        url = settings.redis_url_file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        yield
        return
    with redis.Redis.from_url(url, socket_timeout=10) as server:
        try:
            before = server.config_get(REWRITE)[REWRITE]
        except redis.ConnectionError:
            # What it left behind when it ended without being asked to: nothing writes to the log.
            yield
            return
        server.config_set(REWRITE, 0)
        try:
            until_s = time.monotonic() + REWRITTEN_S
            while server.info("persistence")["aof_rewrite_in_progress"]:
                if time.monotonic() > until_s:
                    raise BackupError("The queue server has been rewriting its log for minutes: try again later.")
                time.sleep(0.1)
            yield
        finally:
            server.config_set(REWRITE, before)


def _database(settings: Settings, target: Path) -> str:
    url = urlsplit(settings.database_url)
    if url.scheme.startswith("sqlite"):
        # By SQLite itself: with a log of its own, a plain copy of the file may be torn.
        source = f"file:{unquote(url.path[1:])}?mode=ro"
        with (
            closing(sqlite3.connect(source, uri=True)) as file,
            closing(sqlite3.connect(target / "offload.db")) as copy,
        ):
            file.backup(copy)
        return "The database is copied."
    run_postgres("pg_dump", settings, "--format=custom", f"--file={target / DUMP}")
    return "The database is dumped."


def run_postgres(program: str, settings: Settings, *arguments: str) -> None:
    if not shutil.which(program):
        raise BackupError(f"{program} is not installed here: it comes with PostgreSQL's client.")
    url = urlsplit(settings.database_url)
    options = dict(part.split("=", 1) for part in url.query.split("&") if "=" in part)
    host = url.hostname or unquote(options.get("host", ""))
    given = {"PGHOST": host, "PGPORT": str(url.port or ""), "PGUSER": unquote(url.username or "")}
    # By the environment, because a command line is everybody's to read.
    given |= {"PGPASSWORD": unquote(url.password or ""), "PGDATABASE": unquote(url.path[1:])}
    environment = os.environ | {name: value for name, value in given.items() if value}
    ran = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)
    if ran.returncode:
        raise BackupError(f"{program} failed: {(ran.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def _files(settings: Settings, target: Path) -> str:
    root = local_files(settings)
    if root is None:
        return "The files are not copied: they lie in a bucket, which has versions or a backup of its own."
    if root.exists():
        shutil.copytree(root, target / "files", copy_function=_copy_if_there)
    return "The files are copied."


def local_files(settings: Settings) -> Path | None:
    url = urlsplit(settings.storage_url)
    return Path(unquote(url.path)) if url.scheme == "file" else None


def _copy_if_there(source: str, target: str) -> str:
    # One that is removed during the copy is named by nothing that was copied, or was about to go.
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)
    return target
