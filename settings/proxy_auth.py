"""Sign-in by the headers of a proxy that knows the person, such as oauth2-proxy."""

import re
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_settings import NoDecode

from settings.access import Network, parse_networks
from settings.groups import FORM, Rights, parse_group_rights
from settings.urls import Explained

HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
"""Without an underscore: some proxies take it for a dash, and others leave such a header out."""

OTHERS = frozenset(
    {"authorization", "cookie", "host", "origin", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
)
"""Headers that browsers set, or that say something else of a request."""


class Headers(NamedTuple):
    """Names of the three headers, in lower case."""

    user: str
    email: str
    groups: str


def parse_headers(given: Any) -> Any:
    """`X-User,X-Email,X-Groups` as Headers. Raises Explained."""
    if not isinstance(given, str):
        return given
    names = [part.strip() for part in given.split(",")]
    if len(names) != len(Headers._fields):
        raise Explained("takes three names of headers, separated by commas: of the user, the address and the groups")
    for name in names:
        if not HEADER.fullmatch(name):
            raise Explained(f"has '{name[:80]}' in it, which is no name of a header: letters, digits and dashes")
        if name.lower() in OTHERS:
            raise Explained(f"names {name}, which says something else of a request")
    return Headers(*(name.lower() for name in names))


def not_everyone(networks: tuple[Network, ...]) -> tuple[Network, ...]:
    """Refuse a network of all addresses. Raises Explained."""
    for network in networks:
        if network.prefixlen == 0:
            raise Explained(f"holds {network}, which is everyone: name the proxy's own addresses")
    return networks


class ProxyAuth(BaseModel):
    """A proxy that signs people in."""

    model_config = ConfigDict(frozen=True)

    proxy_auth_from: Annotated[
        tuple[Network, ...], NoDecode, BeforeValidator(parse_networks), AfterValidator(not_everyone)
    ] = Field(default=(), description="addresses and networks of the proxy, separated by commas")
    """Addresses that the proxy's connections come from. Empty means that no such header is believed."""

    proxy_auth_headers: Annotated[Headers, NoDecode, BeforeValidator(parse_headers)] = Field(
        default=Headers("x-forwarded-user", "x-forwarded-email", "x-forwarded-groups"),
        description="three names of headers, separated by commas: of the user, the address and the groups",
    )
    """Names that oauth2-proxy gives them."""

    proxy_auth_roles: Annotated[dict[str, Rights], NoDecode, BeforeValidator(parse_group_rights)] = Field(
        default={}, description=FORM
    )
    """Groups that may sign in, and their rights. Apart from those of OIDC: a proxy may call groups by other names."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.proxy_auth_from and not self.proxy_auth_roles:
            raise Explained(
                f"OFFLOAD_PROXY_AUTH_FROM is set without OFFLOAD_PROXY_AUTH_ROLES, so that no one may sign in: {FORM}"
            )
        for name in ("headers", "roles"):
            if not self.proxy_auth_from and f"proxy_auth_{name}" in self.model_fields_set:
                raise Explained(
                    f"OFFLOAD_PROXY_AUTH_{name.upper()} is set without OFFLOAD_PROXY_AUTH_FROM, and does nothing"
                )
        return self
