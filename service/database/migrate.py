"""Alembic, run at start-up."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).with_name("migrations")

ADVISORY_LOCK = 7_311_402_664
"""Any fixed number: processes that migrate the same PostgreSQL database wait on it for each other."""


def migrate(connection: Connection) -> None:
    """Upgrade to the newest revision in the connection's transaction, which on SQLite must hold the write lock."""
    if current_revision(connection) == newest_revision():
        return
    # Loaded only where there is something to do: it would take a tenth of the start of every process.
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def newest_revision() -> str:
    """The revision that this version of the code works with: the files of migrations are numbered by theirs."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at; None where it has no table yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
