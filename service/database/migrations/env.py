"""Called by Alembic: with the connection that start-up passes on, or with one of its own from the command line."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from service.database.base import Base
from service.database.connection import Database
from settings import load_settings


def run(connection: Connection) -> None:
    # SQLite cannot alter most of a table in place; in batch mode Alembic copies it.
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


async def run_from_command_line() -> None:
    database = Database(load_settings().database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(run)
    await database.close()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_from_command_line())
