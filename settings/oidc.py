"""Sign-in by the accounts of a company: its OpenID Connect provider, and what its groups may do."""

import re
from ipaddress import ip_address
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_settings import NoDecode

from settings.groups import FORM, Rights, parse_group_rights
from settings.urls import Explained

TENANT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""Not a domain: tokens name the tenant by its id."""


def loopback(host: str | None) -> bool:
    """True for a host name or an address of this machine."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def issuer_url(url: str) -> str:
    """Accept https://host/path, and http:// on this machine. Raises Explained."""
    parts = urlsplit(url)
    _ = parts.port  # raises ValueError where the port is not a number
    if parts.scheme == "http" and parts.hostname and not loopback(parts.hostname):
        raise Explained("is an http:// URL of another machine: keys and tokens come from there, so it takes https://")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("not such a URL")
    return url


def parse_scopes(given: Any) -> Any:
    """`openid email groups` as a tuple. Raises Explained without openid."""
    if not isinstance(given, str):
        return given
    scopes = tuple(given.replace(",", " ").split())
    if "openid" not in scopes:
        raise Explained("lacks the scope openid, without which a provider sends no ID token")
    return scopes


def parse_tenants(given: Any) -> Any:
    """`GUID,GUID` as a tuple. Raises Explained."""
    if not isinstance(given, str):
        return given
    tenants = tuple(filter(None, (part.strip() for part in given.split(","))))
    for tenant in tenants:
        if not TENANT_ID.fullmatch(tenant):
            raise Explained(
                f"has '{tenant[:80]}' in it, which is not the id of a tenant: 8-4-4-4-12 hexadecimal digits"
            )
    return tuple(tenant.lower() for tenant in tenants)


class Oidc(BaseModel):
    """Sign-in by an OpenID Connect provider."""

    model_config = ConfigDict(frozen=True)

    oidc_issuer: Annotated[str, AfterValidator(issuer_url)] | None = Field(
        default=None, description="the provider's https:// URL, to which /.well-known/openid-configuration is added"
    )
    """None means that people sign in with dashboard users' passwords only."""

    oidc_client_id: str | None = Field(default=None, min_length=1, max_length=255, description="the client's id")
    """Name under which the provider knows this installation."""

    oidc_client_secret: str | None = Field(
        default=None, repr=False, min_length=1, description="the client's secret", json_schema_extra={"secret": True}
    )
    """None means a public client, which PKCE alone protects."""

    oidc_scopes: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_scopes)] = Field(
        default=("openid", "profile", "email"), description="scopes separated by blanks, openid among them"
    )
    """Scopes whose claims name a person. Some providers send groups only with a scope of their own."""

    oidc_groups_claim: str = Field(
        default="groups", min_length=1, description="a claim's name, or a path such as realm_access.roles"
    )
    """The claim that Keycloak's and Entra's own settings for groups write."""

    oidc_name_claim: str = Field(default="preferred_username", min_length=1, description="a claim's name")
    """The name in pages and in the audit log. Without it, `email` (unless unverified) and `sub` are taken."""

    oidc_tenants: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_tenants)] = Field(
        default=(), description="ids of tenants, separated by commas"
    )
    """Entra's tenants whose people may sign in, where OFFLOAD_OIDC_ISSUER is the one of all of them. Compared with `tid`."""

    oidc_roles: Annotated[dict[str, Rights], NoDecode, BeforeValidator(parse_group_rights)] = Field(
        default={}, description=FORM
    )
    """Groups that may sign in, and their rights. None may, unless an operator names it."""

    oidc_button: str = Field(
        default="your company's account", min_length=1, max_length=60, description="1 to 60 characters"
    )
    """Ends the words "Sign in with" on the page."""

    oidc_contact: str = Field(
        default="an operator of this installation", min_length=1, max_length=200, description="1 to 200 characters"
    )
    """Contact of a person whose groups do not count."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.oidc_issuer is None:
            for name in ("client_id", "client_secret", "tenants", "roles"):
                if getattr(self, f"oidc_{name}"):
                    raise Explained(f"OFFLOAD_OIDC_{name.upper()} is set without OFFLOAD_OIDC_ISSUER, and does nothing")
        elif not self.oidc_client_id:
            raise Explained("OFFLOAD_OIDC_ISSUER is set without OFFLOAD_OIDC_CLIENT_ID")
        elif not self.oidc_roles:
            raise Explained(
                f"OFFLOAD_OIDC_ISSUER is set without OFFLOAD_OIDC_ROLES, so that no one may sign in: {FORM}"
            )
        return self
