"""Limits of access: failed credentials, and who may read hosts and counts."""

from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

Network: TypeAlias = IPv4Network | IPv6Network

PRIVATE = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,fe80::/10"
"""Networks that the internet does not route: this machine, a cluster, an office."""


class SignIn(StrEnum):
    """Way in which a browser is asked to sign in. A script's HTTP basic is taken in any case."""

    AUTO = "auto"
    """By the page as soon as the database has a user or an identity provider is set, else by HTTP basic."""
    PAGE = "page"
    BASIC = "basic"


def parse_networks(given: Any) -> Any:
    """`10.0.0.0/8,::1` as a tuple of networks."""
    if not isinstance(given, str):
        return given
    return tuple(ip_network(part.strip()) for part in given.split(",") if part.strip())


class Access(BaseModel):
    """Limits of access."""

    model_config = ConfigDict(frozen=True)

    failed_credentials_per_minute: int = Field(default=20, ge=1, le=100_000)
    """Different wrong keys or passwords that are looked at per address and per user: more than anyone mistypes, and at
    this rate the shortest password that is accepted outlasts any guesser.
    """

    session_idle_minutes: int = Field(default=60, ge=5, le=720)
    """A session of the dashboard ends so long after its last use. Pages that refresh themselves do not count as use."""

    sign_in: SignIn = Field(default=SignIn.AUTO, description="auto, page or basic")
    """Auto: while all users are the environment's, browsers ask for their passwords themselves, and need no page for it."""

    monitoring_networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(parse_networks)] = Field(
        default=parse_networks(PRIVATE), description="networks such as 10.0.0.0/8, separated by commas"
    )
    """Networks that read /workers/health, /workers/wanted and /metrics without a key: they name hosts, processes and
    versions, which probes and scrapers of a private network need and strangers do not.
    """

    monitoring_token: str | None = Field(
        default=None,
        repr=False,
        min_length=16,
        description="a secret of at least 16 characters",
        json_schema_extra={"secret": True},
    )
    """Bearer token that opens the same from anywhere else. None means that there only a key with `operate` does."""

    @property
    def session_idle(self) -> timedelta:
        """Time without use after which a session ends."""
        return timedelta(minutes=self.session_idle_minutes)
