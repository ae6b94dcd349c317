"""`offload encryption-key`: a new key for OFFLOAD_ENCRYPTION_KEYS."""

import secrets

import click

from service.database.column_types import utc_now
from settings.encryption import KEY_BYTES, KEY_ID, encoded


@click.command()
@click.option(
    "--id", "key_id", help="Name of the key, which stands in all that it encrypts; by default date and chance."
)
def encryption_key(key_id: str | None) -> None:
    """Make a key for OFFLOAD_ENCRYPTION_KEYS and print it; it is kept nowhere.

    Example: offload encryption-key
    """
    name = key_id or f"{utc_now():%Y%m%d}-{secrets.token_hex(2)}"
    if not KEY_ID.fullmatch(name):
        raise click.ClickException("An id takes letters, digits and hyphens between them, 32 at most.")
    click.echo(
        "Keep a copy apart from the backups: without the key, nothing that it encrypts can be read again.", err=True
    )
    click.echo(f"{name}:{encoded(secrets.token_bytes(KEY_BYTES))}")
