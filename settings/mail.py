"""Sender, links and attachments of mail."""

import secrets
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import Annotated, Protocol, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from settings.private_files import create_private
from settings.urls import url_of

ATTACHMENT_MAX = 7_000_000
"""Under 10 MB once it is encoded, which every provider takes."""

KEY_BYTES = 32
"""256 random bits: as many as the HMAC-SHA256 that they key has."""


def _sender(given: str) -> str:
    _, address = parseaddr(given)
    if any(ord(letter) < 32 for letter in given):
        raise ValueError("control characters")
    if address.rpartition("@")[2] != "localhost":
        # Loading its tables takes longer than reading all settings.
        from email_validator import EmailNotValidError, validate_email

        try:
            validate_email(address, check_deliverability=False, allow_smtputf8=False, test_environment=True)
        except EmailNotValidError as error:
            raise ValueError("no address") from error
    return given


class _Installation(Protocol):
    data_dir: Path
    web_url: str


class Mail(BaseModel):
    """The sender, and what unsubscribe links are made of."""

    model_config = ConfigDict(frozen=True)

    mail_from: Annotated[str, AfterValidator(_sender)] = Field(
        default="Offload <offload@localhost>", description="an address, or Name <address>"
    )
    """Without a domain of one's own no provider delivers anything: the default only suits the mail catcher."""

    report_attachment_max: int = Field(
        default=ATTACHMENT_MAX, ge=0, description="bytes of a file that is attached to a message"
    )
    """A larger file is linked. Base64 makes a third more of it, and many servers take 10 to 25 MB."""

    public_url: Annotated[str, url_of("http", "https", host=True)] | None = Field(
        default=None, description="http://host or https://host, as recipients of mail reach this installation"
    )
    """None means the address that the web application listens on."""

    unsubscribe_key: str | None = Field(
        default=None,
        repr=False,
        min_length=16,
        description="a secret of at least 16 characters",
        json_schema_extra={"secret": True},
    )
    """Signs unsubscribe links. None means one that is generated once and kept in the data folder; installations on
    several machines set it, so that each accepts the links of all."""

    @property
    def links_url(self) -> str:
        """Beginning of links in messages; no slash at the end."""
        return (self.public_url or cast(_Installation, self).web_url).rstrip("/")

    @cached_property
    def link_key(self) -> bytes:
        """The key that signs links. The first use may write it."""
        if self.unsubscribe_key:
            return self.unsubscribe_key.encode()
        file = cast(_Installation, self).data_dir / "unsubscribe.key"
        return create_private(file, secrets.token_hex(KEY_BYTES)).strip().encode()
