"""Alembic, run at start-up."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

MIGRATIONS = Path(__file__).with_name("migrations")

ADVISORY_LOCK = 7_311_402_664
"""Any fixed number: processes that migrate the same PostgreSQL database wait on it for each other."""


def migrate(connection: Connection) -> None:
    """Upgrade to the newest revision in the connection's transaction, which on SQLite must hold the write lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
