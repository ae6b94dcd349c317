"""Claims of a person: the name, the groups, and whether the provider has left these out."""

from collections.abc import Collection
from typing import Any

from service.access.users import NAME
from settings.oidc import Oidc as OidcSettings


def claim_at(claims: Any, path: str) -> Any:
    """The claim of this name, or at the end of a path with dots; None where there is none.

    Names hold dots too: `https://company.example/groups`, or a client's id in `resource_access.offload.example.roles`.
    """
    if not isinstance(claims, dict):
        return None
    if path in claims:
        return claims[path]
    parts = path.split(".")
    for end in range(len(parts) - 1, 0, -1):
        if (name := ".".join(parts[:end])) in claims:
            found = claim_at(claims[name], ".".join(parts[end:]))
            if found is not None:
                return found
    return None


def groups_of(claims: dict[str, Any], settings: OidcSettings) -> tuple[str, ...]:
    """Groups of a person that count: those that OFFLOAD_OIDC_ROLES names."""
    # An address that no one has verified is anyone's.
    if settings.oidc_groups_claim == "email" and claims.get("email_verified") is not True:
        return ()
    found = claim_at(claims, settings.oidc_groups_claim)
    groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(group for group in groups if isinstance(group, str) and group in settings.oidc_roles)


def groups_left_out(claims: dict[str, Any], groups_claim: str) -> bool:
    """True where the provider refers to another place for groups that are too many for a token, as Entra does beyond 200."""
    elsewhere = claims.get("_claim_names")
    return claim_at(claims, groups_claim) is None and (
        (isinstance(elsewhere, dict) and groups_claim in elsewhere) or claims.get("hasgroups") in (True, "true")
    )


def name_of(claims: dict[str, Any], settings: OidcSettings) -> str:
    """The name of a person in pages and in the audit log; empty where no claim can be one."""
    for claim in (settings.oidc_name_claim, "email", "sub"):
        name = claim_at(claims, claim)
        if claim == "email" and not _may_name(claims, settings.oidc_tenants):
            continue
        if isinstance(name, str) and NAME.fullmatch(name.strip()):
            return name.strip()
    return ""


def _may_name(claims: dict[str, Any], tenants: Collection[str]) -> bool:
    """False for an address that may be another person's: with several tenants, each writes into its own what it likes."""
    return claims.get("email_verified") is True if tenants else claims.get("email_verified") is not False
