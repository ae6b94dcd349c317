"""`offload owners` on an installation of its own."""

from click.testing import CliRunner, Result

from service.cli.main import main
from settings import load_settings


def owners(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["owners", *arguments])


def test_plans_are_set_changed_and_listed(settings_env: dict[str, str]) -> None:
    assert [line.split("\t")[:2] for line in owners("list").output.splitlines()] == [
        ["acme", "standard"],
        ["globex", "standard"],
    ]
    made = owners("set", "acme", "--plan", "premium", "--pages-per-month", "50000")
    assert made.output == "acme has the plan premium, and of its own: pages_per_month 50000.\n", made.output
    more = owners("set", "acme", "--mails-per-hour", "10", "--pages-per-month", "plan")
    assert more.output == "acme has the plan premium, and of its own: mails_per_hour 10.\n"
    limit = min(queue.owner_limit for queue in load_settings().queues.values())
    assert owners("list", "--search", "ACM").output.rstrip().split("\t") == [
        "acme", "premium*", f"0 of {limit:,}", "0", "-", "0", "0", "0 of 10",
    ]  # fmt: skip
    assert owners("set", "acme", "--plan", "default", "--mails-per-hour", "plan").output == (
        "acme has the plan standard.\n"
    )


def test_what_makes_no_sense_is_refused(settings_env: dict[str, str]) -> None:
    for arguments, words in (
        (("set", "acme"), "Say what to set"),
        (("set", "acme", "--plan", "gold"), "There is no plan gold: there are free, standard, premium."),
        (("set", "acme", "--weight", "-1"), "weight: Input should be greater than or equal to 0.1."),
    ):
        refused = owners(*arguments)
        assert refused.exit_code and words in refused.output
