"""Plans of owners as rows, and the pages of their months."""

import asyncio

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from service.database import Database, Document
from service.database.api_keys import ApiKeys
from service.database.owners import BadLimits, Owners, add_pages
from settings.plans import PLAN_TABLE, Plan, Plans

pytestmark = pytest.mark.both_databases


async def test_a_plan_and_own_limits_hold_in_another_process_too(database: Database) -> None:
    here, there = Owners(database, Plans()), Owners(database, Plans())
    assert (await there.limits("acme")).values == Plan()
    made = await here.set("acme", "free", {"pages_per_month": "none", "weight": "2"}, by="eva")
    assert (made.plan, made.own) == ("free", {"pages_per_month", "weight"})
    assert made.values == PLAN_TABLE["free"].model_copy(update={"pages_per_month": None, "weight": 2.0})
    there._read.clear()  # what it trusts for half a second
    assert await there.limits("acme") == made == await here.limits("acme")
    row = await here.get("acme")
    assert row is not None and (row.changed_by, row.own_fields) == ("eva", {"pages_per_month": None, "weight": 2.0})
    await here.set("acme", None, {}, by="eva")
    assert await here.get("acme") is None and (await here.limits("acme")).plan == "standard"


@pytest.mark.parametrize(
    ("plan", "own", "field", "sentence"),
    [
        ("gold", {}, "plan", "There is no plan gold: there are free, standard, premium."),
        (None, {"weight": "0"}, "weight", "weight: Input should be greater than or equal to 0.1."),
        (None, {"stored_bytes": "lots"}, "stored_bytes", "stored_bytes: Input should be a valid integer"),
        (None, {"colour": "red"}, "colour", "colour: Extra inputs are not permitted."),
    ],
)
async def test_what_makes_no_sense_is_refused(
    database: Database, plan: str | None, own: dict[str, str], field: str, sentence: str
) -> None:
    owners = Owners(database, Plans())
    with pytest.raises(BadLimits) as refusal:
        await owners.set("acme", plan, own, by="eva")
    assert refusal.value.field == field and str(refusal.value).startswith(sentence)
    with pytest.raises(BadLimits, match="printable"):
        await owners.set("a\nb", None, {}, by="eva")
    assert await owners.get("acme") is None


async def test_a_plan_that_left_the_settings_is_the_default_one(database: Database) -> None:
    known = Plans(plans={"gold": {"weight": 8}})
    await Owners(database, known).set("acme", "gold", {"queued_jobs": 5}, by="eva")
    limits = await Owners(database, Plans()).limits("acme")
    assert (limits.plan, limits.values) == ("standard", Plan(queued_jobs=5))


async def test_limits_of_before_hold_while_the_database_is_away(database: Database) -> None:
    owners = Owners(database, Plans())
    await owners.set("acme", "free", {}, by="eva")
    free = await owners.limits("acme")
    owners._read.clear()  # what it trusts for half a second

    async def away(owner: str) -> None:
        raise ConnectionRefusedError("away")

    owners.get = away  # type: ignore[method-assign, assignment]  # the database is away
    assert await owners.limits("acme") == free and (await owners.limits("globex")).plan == "standard"


async def test_owners_come_in_pages_in_the_order_of_their_names(database: Database) -> None:
    owners = Owners(database, Plans())
    await ApiKeys(database).create("beta", "app", created_by="eva")
    await owners.set("Gamma 50%", "free", {}, by="eva")
    async with database.writing() as session:
        await add_pages(session, "delta", "2026-11", 3)
    everyone = sorted(["acme", "beta", "delta", "Gamma 50%"])
    first = await owners.list(["acme"], limit=3)
    rest = await owners.list(["acme"], limit=3, after=first.next_after or "")
    assert [*first.owners, *rest.owners] == everyone and rest.next_after is None
    assert (await owners.list(["acme"], search="gamma")).owners == ["Gamma 50%"]
    assert (await owners.list(["acme"], search="0%")).owners == ["Gamma 50%"]
    assert (await owners.list(["acme"], search="_")).owners == []
    assert (await owners.list(["acme"], search="ACME")).owners == ["acme"]


async def test_pages_of_a_month_are_counted_by_many_at_once(database: Database) -> None:
    async def add() -> None:
        async with database.writing() as session:
            await add_pages(session, "acme", "2026-11", 2)

    await asyncio.gather(*(add() for _ in range(10)))
    assert await Owners(database, Plans()).pages(["acme", "globex"], "2026-11") == {"acme": 20}


async def test_the_migration_counts_documents_that_are_there(database: Database) -> None:
    facts = {"name": "a", "bytes": 1, "sha256": "", "media_type": "application/pdf", "path": ""}
    async with database.writing() as session:
        session.add_all(Document(file_id=f"f{n}", owner="acme", pages=n or None, **facts) for n in range(4))

    def again(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", "service/database/migrations")
        config.attributes["connection"] = connection
        command.downgrade(config, "0010")
        command.upgrade(config, "0011")

    async with database.engine.begin() as connection:
        await connection.run_sync(again)
        rows = (await connection.execute(text("SELECT owner, pages FROM owner_months"))).all()
    assert [tuple(row) for row in rows] == [("acme", 6)]
