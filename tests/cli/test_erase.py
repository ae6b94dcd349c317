"""`offload erase` on an installation of its own."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.main import main
from service.database import Base, Template, open_database
from service.erasure.signed_list import verified
from service.erasure.tables import APART, owned_tables
from settings import load_settings


def erase(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["erase", *arguments])


@pytest.fixture
def planted(settings_env: dict[str, str]) -> None:
    async def plant() -> None:
        async with open_database(load_settings().database_url) as database, database.writing() as session:
            session.add(Template(template_id="t", owner="initech", name="n", subject="s", html="h", text="t"))

    asyncio.run(plant())


def test_it_says_what_would_go_and_erases_with_yes(planted: None, tmp_path: Path) -> None:
    dry = erase("--owner", "initech")
    assert dry.exit_code == 0 and "1  templates" in dry.output and "add --yes" in dry.output
    target = tmp_path / "initech.json"
    done = erase("--owner", "initech", "--yes", "--list", str(target))
    assert done.exit_code == 0, done.output
    assert "The signed list is in" in done.output and "Not reached: backups" in done.output
    checked = erase("--verify", str(target))
    assert checked.exit_code == 0 and "The signature fits: erased-" in checked.output
    again = erase("--owner", "initech", "--yes")
    assert again.exit_code == 1 and "There is nothing of an owner initech here." in again.output
    target.write_bytes(target.read_bytes().replace(b'"templates": 1', b'"templates": 9'))
    assert "signature does not fit" in erase("--verify", str(target)).output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Say one of --owner NAME"),
        (("--owner", "a", "--person", "b"), "Say one of --owner NAME"),
        (("--person", "nobody@example.com"), "There is nothing of a person nobody@example.com here."),
        (("--owner", ""), "There is nothing of an owner"),
    ],
)
def test_what_makes_no_sense_is_refused(settings_env: dict[str, str], arguments: tuple[str, ...], words: str) -> None:
    refused = erase(*arguments)
    assert refused.exit_code and words in refused.output and "Traceback" not in refused.output


def test_a_list_that_cannot_be_written_is_printed(planted: None, tmp_path: Path) -> None:
    target = tmp_path / "no such folder" / "initech.json"
    done = CliRunner().invoke(main, ["erase", "--owner", "initech", "--yes", "--list", str(target)])
    assert done.exit_code == 1 and "it is printed above, keep it" in done.stderr, done.output
    assert verified(done.stdout.encode(), load_settings().link_key).removed["templates"] == 1


def test_every_table_with_an_owner_is_dealt_with() -> None:
    tables = {table.name for table in Base.metadata.sorted_tables if "owner" in table.c}
    assert tables == {table.name for _, table in owned_tables()} | APART
