"""Contents that `offload seed` writes to the database."""

from service.database.connection import Database
from service.database.seed_events import seed_events
from service.database.seed_users import seed_users


async def seed(database: Database, *, users: int, events: int) -> tuple[int, int]:
    """Demonstration rows, the same on every machine. Returns (users added, events added); a second run adds none."""
    return await seed_users(database, users), await seed_events(database, events)
