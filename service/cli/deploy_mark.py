"""`offload deploy-mark`: a mark on the dashboard's charts, straight at this installation's queue server, with an audit line."""

import asyncio

import click

from service.database.connection import open_database
from service.engine.redis.places import open_places
from service.lib.user_agent import terminal_user, user_agent
from service.monitoring.audit_log import Audit, AuditEntry, Target
from service.monitoring.changes.deploys import BadMark, Deploys
from settings import load_settings


@click.command()
@click.argument("text")
def deploy_mark(text: str) -> None:
    """Mark this moment as a deploy on the dashboard's charts, and in what changed before an alert.

    Example: offload deploy-mark "4f2a1c0 new OCR model"
    """
    settings = load_settings()
    actor = f"cli:{terminal_user(user_agent())}"

    async def mark() -> str:
        async with open_places(settings) as redis, open_database(settings.database_url) as database:
            deploy = await Deploys(redis).mark(text, by=actor)
            await Audit(database).record(
                AuditEntry(
                    actor=actor,
                    role="operator",
                    action="deploy.marked",
                    target=Target("deploy", ""),
                    owner="",
                    detail=deploy.text,
                )
            )
            return deploy.text

    try:
        click.echo(f"Marked: {asyncio.run(mark())}")
    except BadMark as error:
        raise click.ClickException(str(error)) from None
