"""Alembic, run at start-up."""

import re
from pathlib import Path

import structlog
from sqlalchemy import Connection, inspect, text

log = structlog.get_logger("offload")

MIGRATIONS = Path(__file__).with_name("migrations")

ADVISORY_LOCK = 7_311_402_664
"""Any fixed number: processes that migrate the same PostgreSQL database wait on it for each other."""


class WrongRevision(Exception):
    """The database is at a revision that this release cannot work with: a sentence for the operator."""


def migrate(connection: Connection) -> None:
    """Upgrade to the newest revision in the connection's transaction, which on SQLite must hold the write lock.

    A database that a newer release has migrated is left as it is: migrations only add, so that the release before can
    go on with it, be started again, and be rolled back to. Raises WrongRevision for an unknown revision.
    """
    if _serves(current_revision(connection)):
        return
    if connection.dialect.name == "postgresql":
        # Another process may migrate for longer than a statement may take here.
        for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {setting} = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
        if _serves(current_revision(connection)):
            return
    # Loaded only where there is something to do: it would take a tenth of the start of every process.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _serves(current: str | None) -> bool:
    """True where the database needs no migration: it is at our revision, or at one of a newer release."""
    if current is None or current in revisions():
        return current == newest_revision()
    if not re.fullmatch(r"\d{4}", current) or current < newest_revision():
        raise WrongRevision(
            f"The database is at the revision {current[:60]!r}, which is none of Offload's: it belongs to something "
            "else, or was changed by hand. docs/upgrading.md says how to go back to a backup."
        )
    log.warning("database.newer_than_release", at=current, known=newest_revision())
    return True


def revisions() -> set[str]:
    """Every revision that this release has a migration to: the files of migrations are numbered by theirs."""
    return {path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def newest_revision() -> str:
    """The revision that this release works with."""
    return max(revisions())


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at; None where it has no table yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
