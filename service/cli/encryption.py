"""`offload encryption-key`, a new key for OFFLOAD_ENCRYPTION_KEYS, and `offload rewrap`, which has it encrypt all that there is."""

import asyncio
import secrets
import sys

import click
from redis.exceptions import RedisError

import tasks.sdk.discovery  # noqa: F401  # job types declare their search keys, which this makes digests of
from service.database.column_types import utc_now
from service.engine.payload_files import PayloadFiles
from service.engine.redis.places import open_places
from service.engine.store.encryption_keys import forget_keys
from service.engine.store.rewrapping import Rewrapping
from service.lib.encryption import Keyring, keyring_of
from service.lib.outages import outage_of
from service.lib.storage.object_storage import Storage
from service.lib.storage.rewrapping import Rewrapped, rewrap_objects
from settings import Settings, load_settings
from settings.encryption import KEY_BYTES, KEY_ID, encoded

SHOWN = 20
"""Files that cannot be read of which the sentence is printed."""

PROGRESS_EVERY = 10_000
"""Files after which a line says how far it is."""


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


@click.command()
def rewrap() -> None:
    """Encrypt all files and records under the first of OFFLOAD_ENCRYPTION_KEYS: what is under another, or not encrypted.

    Offload may run in the meantime; an interrupted run is continued by the next. Exit code 1 where something cannot be read.

    Example: offload rewrap
    """
    settings = load_settings()
    keyring = keyring_of(settings.encryption_keys)
    if keyring is None:
        raise click.ClickException("OFFLOAD_ENCRYPTION_KEYS is not set: there is no key to encrypt with.")
    try:
        unreadable = asyncio.run(_rewrap(settings, keyring))
    except RedisError as error:
        raise click.ClickException(
            f"The queue server does not answer ({error}): run it again later, and it goes on where it was."
        ) from None
    except Exception as error:
        outage = outage_of(error)
        if outage is None:
            raise
        raise click.ClickException(f"{outage.sentence}: run it again later, and it goes on where it was.") from None
    sys.exit(1 if unreadable else 0)


async def _rewrap(settings: Settings, keyring: Keyring) -> int:
    """Rewrap everything and print what was done. Returns the number of what cannot be read."""
    storage = Storage(settings.storage_url, keyring)
    files = await rewrap_objects(storage, _progress)
    _report("files", files, keyring.sealing_id)
    async with open_places(settings) as redis:
        values = await Rewrapping(redis, PayloadFiles(storage).load).run()
        if not values.unreadable:
            await forget_keys(redis, [keyring.sealing_id])
    _report("values of records", values, keyring.sealing_id)
    return len(files.unreadable) + len(values.unreadable)


def _progress(done: int) -> None:
    if done and done % PROGRESS_EVERY == 0:
        click.echo(f"{done:,} files …", err=True)


def _report(kind: str, done: Rewrapped, key_id: str) -> None:
    click.echo(
        f"Encrypted with the key {key_id!r}: {done.rewrapped:,} {kind} that were under another key, "
        f"{done.encrypted:,} that were not encrypted. {done.current:,} were under it already."
    )
    for sentence in done.unreadable[:SHOWN]:
        click.echo(sentence, err=True)
    if done.unreadable:
        click.echo(f"{len(done.unreadable):,} {kind} cannot be read, and stay as they are.", err=True)
