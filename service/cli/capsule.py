"""`offload capsule`: an incident capsule of this installation, or of another one, as a file."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import httpx

from service.cli.options import Since
from service.lib.user_agent import user_agent
from settings import DashboardUser, Role, Settings, load_settings

TIMEOUT_S = 120.0
"""Between two pieces of the file."""


@click.command()
@click.option("--from", "first", type=Since(), metavar="WHEN", help="An age such as 2h, or a time; by default 1h.")
@click.option("--to", "last", type=Since(), metavar="WHEN", help="Likewise; by default now.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("capsule.html"),
    show_default=True,
    help="File to write.",
)
@click.option("--server", metavar="URL", help="Server to ask; by default the one of this installation.")
@click.option(
    "--user", metavar="NAME", help="Dashboard user whose rights the capsule has; by default the first operator."
)
def capsule(first: datetime | None, last: datetime | None, output: Path, server: str | None, user: str | None) -> None:
    """Write all that is recorded of a span into one HTML file, which opens without a server.

    Example: offload capsule --from 2h --to 30m -o incident.html

    Of a user who is not in OFFLOAD_DASHBOARD_USERS the password is asked for.
    """
    settings = load_settings()
    name, password = _credentials(settings, user)
    span = {"from": (first or datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    if last:
        span["to"] = last.isoformat()
    partial = output.with_name(f".{output.name}.partial")
    try:
        with httpx.stream(
            "GET",
            f"{(server or settings.web_url).rstrip('/')}/admin/capsule/file",
            params=span,
            auth=(name, password),
            headers={"User-Agent": user_agent(), "HX-Request": "true"},
            timeout=TIMEOUT_S,
            trust_env=server is not None,
        ) as response:
            if not response.is_success:
                response.read()
                raise click.ClickException(_refusal(response, name))
            with partial.open("wb") as file:
                for piece in response.iter_bytes():
                    file.write(piece)
        os.replace(partial, output)
    except httpx.HTTPError as error:
        partial.unlink(missing_ok=True)
        raise click.ClickException(f"The server does not answer: {error or type(error).__name__}.") from None
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from None
    click.echo(f"{output}: {output.stat().st_size:,} bytes")


def _credentials(settings: Settings, user: str | None) -> tuple[str, str]:
    users = settings.dashboard_users
    name = user or next((one for one, entry in users.items() if entry.role is Role.OPERATOR), "")
    if not name:
        raise click.ClickException("No operator is set up here: name a user with --user.")
    known: DashboardUser | None = users.get(name)
    return name, known.password if known else click.prompt(f"Password of {name}", hide_input=True, err=True)


def _refusal(response: httpx.Response, name: str) -> str:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return f"The server does not know the user {name} with this password."
    text = response.text.strip()
    plain = response.headers.get("content-type", "").startswith("text/plain")
    return text[:500] if plain and text else f"The server answered {response.status_code} {response.reason_phrase}."
