"""The audit log names the user at the terminal by the header that the command line sends."""

import pytest

from service.lib import user_agent
from service.lib.user_agent import terminal_user


@pytest.mark.parametrize("name", ["ada", "ada lovelace", "ad(a)", "Größe"])
def test_a_name_comes_back_from_the_header(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(user_agent.getpass, "getuser", lambda: name)
    header = user_agent.user_agent()
    assert header.isascii() and terminal_user(header) == name


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(user_agent.getpass, "getuser", nameless)
    monkeypatch.setattr(user_agent.os, "getuid", lambda: 10001)
    assert terminal_user(user_agent.user_agent()) == "10001"


@pytest.mark.parametrize(
    "header", ["", "curl/8", "offload-cli/1 (ada", "offload-cli/1 (a(b))", "x offload-cli/1 (ada)"]
)
def test_any_other_header_names_no_user(header: str) -> None:
    assert terminal_user(header) is None
