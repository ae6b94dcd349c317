"""Commands of an installation whose parts do not answer: one sentence, and which part."""

import pytest
from click.testing import CliRunner

from service.cli.main import main
from tests.ports import free_port

COMMANDS = {
    "erase": ("erase", "--owner", "acme", "--yes"),
    "keys": ("keys", "list"),
    "owners": ("owners", "list"),
    "users": ("users", "list"),
    "mark": ("deploy-mark", "v1"),
    "seed": ("seed", "--users", "1", "--events", "1"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_that_does_not_answer_is_named(
    settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("OFFLOAD_DATABASE_URL", f"postgresql+asyncpg://offload:secret@127.0.0.1:{free_port()}/offload")
    done = CliRunner().invoke(main, [*COMMANDS[command]])
    assert done.exit_code == 1 and done.output.count("\n") == 1, done.output
    assert done.output.startswith("Error: The database is out of reach (connection refused)."), done.output


@pytest.mark.parametrize("command", [("owners", "list"), ("schedules",), ("pause", "csv-export")])
def test_a_queue_server_that_does_not_answer_is_named(
    settings_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OFFLOAD_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    done = CliRunner().invoke(main, [*command])
    assert done.exit_code == 1 and done.output.startswith("Error: The queue server does not answer"), done.output
