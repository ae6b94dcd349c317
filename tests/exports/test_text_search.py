"""Text is found whatever its case, by Python's rule and by PostgreSQL's alike."""

import re

import pytest
from sqlalchemy import text, update

from service.database import Database, User
from service.database.seed_users import seed_users
from tasks.exports.text_search import any_case
from tests.exports.conftest import Parts
from tests.exports.test_rows import rows_of

FOUND = [
    ("müller", "Herr MÜLLER aus Bremen"),
    ("MÜLLER", "müller"),
    ("straße", "GROSSE STRASSE 7"),
    ("strasse", "Große Straße 7"),
    ("STRASSE", "STRAẞE"),
    ("istanbul", "İSTANBUL"),
    ("İstanbul", "istanbul"),
    ("\u0131sparta", "ISPARTA"),
    ("οδός", "ΟΔΌΣ ΕΡΜΟΎ"),
    ("ΟΔΌΣ", "οδός"),
    ("łukasz", "ŁUKASZ NOWAK"),
    ("привет", "ПРИВЕТ"),
    ("100%_\\", "100%_\\"),
    ("a.b*c+d?(e)[f]{2}|^$", "A.B*C+D?(E)[F]{2}|^$"),
    ("***:x", "***:X"),
    ("(?i)x", "(?i)X"),
    ("a\nb\tc", "A\nB\tC"),
    ("x" * 200, "X" * 200),
    ("ß" * 200, "SS" * 200),
    ("李", "李 Wei"),
]
NOT_FOUND = [("müller", "muller"), ("100%", "1000"), ("a_c", "abc"), ("a.c", "abc"), ("e", "é"), ("ss", "s")]


@pytest.mark.parametrize(("wanted", "held"), FOUND)
def test_what_is_the_same_but_for_its_case_is_found(wanted: str, held: str) -> None:
    assert re.search(any_case(wanted), held)


@pytest.mark.parametrize(("wanted", "held"), NOT_FOUND)
def test_what_is_another_text_is_not(wanted: str, held: str) -> None:
    assert not re.search(any_case(wanted), held)


async def test_both_databases_find_the_same_rows(services: Parts, tmp_path) -> None:
    pairs = FOUND + NOT_FOUND
    database: Database = services.database
    await seed_users(database, len(pairs))
    async with database.writing() as session:
        for number, (_, held) in enumerate(pairs, 1):
            await session.execute(update(User).where(User.id == number).values(name=held[:255]))
        await session.execute(text("UPDATE users SET email = 'nobody'"))
    for number, (wanted, held) in enumerate(pairs, 1):
        found = await rows_of(services, tmp_path / str(number), "users", params={"search": wanted})
        assert (str(number) in [row["id"] for row in found]) == bool(re.search(any_case(wanted), held[:255])), wanted
