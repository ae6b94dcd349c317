"""`offload users` on a fresh database, by its exit codes and its lines."""

from click.testing import CliRunner

from service.cli.users import users

PASSWORD = "correct horse battery"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(users, arguments)
    return result.exit_code, result.output


def test_a_user_is_added_listed_changed_and_removed(settings_env: dict[str, str]) -> None:
    code, output = run("add", "eva", "--role", "operator", "--queue", "thumbnails", "--password", PASSWORD)
    assert (code, output) == (0, "eva is operator of thumbnails, who sees personal data.\n")
    assert run("add", "eva", "--password", PASSWORD) == (1, "Error: There is a user eva already.\n")
    code, output = run("role", "eva", "viewer")
    assert (code, output) == (0, "eva is viewer, who sees no personal data now.\n")
    code, output = run("list")
    assert code == 0 and output.splitlines()[1].split("\t")[:4] == ["eva", "viewer", "no", "all"]
    assert run("sign-out", "eva") == (0, "Sessions of eva that have ended: 0.\n")
    assert run("remove", "eva") == (0, "eva is removed, and its sessions have ended.\n")
    assert run("remove", "admin") == (
        1,
        "Error: There is no user admin in the database. It is one of OFFLOAD_DASHBOARD_USERS: change it there.\n",
    )
