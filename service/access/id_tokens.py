"""ID tokens: signature, issuer, audience, times, nonce and access token hash."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidClaimError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry, extract_compact

LEEWAY_S = 60
"""Seconds by which the provider's clock and ours may differ."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures that only the provider can make: none, and those by a shared secret, are not among them."""

TENANT = "{tenantid}"
"""Stands for the tenant in the issuer that Entra names for all of them; its tokens have it as `tid`."""

log = structlog.get_logger("offload.access")


@dataclass(frozen=True)
class Expected:
    """Values that a token must have. `issuer` may hold TENANT; `tenants` are empty where any may sign in."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    tenants: tuple[str, ...] = ()


def verified_claims(token: str, keys: KeySet, algorithms: Iterable[str], expected: Expected) -> dict[str, Any]:
    """Claims of a token that is as expected. Raises a JoseError, ValueError, TypeError or KeyError."""
    registry = JWSRegistry(algorithms=[one for one in ALGORITHMS if one in algorithms], strict_check_header=False)
    decoded = jwt.decode(token, keys, registry=registry)
    header, tenant = dict(decoded.header), decoded.claims.get("tid")
    if header["alg"] == "Ed25519":
        # RFC 9864 renamed it; authlib knows the hash by the older name.
        header["alg"] = "EdDSA"
    if expected.tenants and tenant not in expected.tenants:
        raise InvalidClaimError("tid")
    options = {
        "iss": {"essential": True, "values": [expected.issuer.replace(TENANT, str(tenant))]},
        "aud": {"essential": True, "values": [expected.client_id]},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }
    params = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": expected.access_token}
    claims = CodeIDToken(decoded.claims, header, options, params)
    claims.validate(leeway=LEEWAY_S)
    return dict(claims)


def readable_keys(published: Any) -> KeySet:
    """Keys for signatures among those that a provider publishes. Those of a kind unknown here are left out, as RFC 7517 has it;
    it may be that none is left.
    """
    found = []
    for key in published["keys"] if isinstance(published, dict) and isinstance(published.get("keys"), list) else []:
        try:
            if key.get("use", "sig") == "sig":
                found += KeySet.import_key_set({"keys": [key]}).keys
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.info("oidc.key_left_out", error=repr(error)[:200])
    return KeySet(found)


def signed_by(token: str, keys: KeySet) -> bool:
    """True where a token names one of the keys, or none."""
    try:
        kid = extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError):
        return False
    return kid is None or any(key.kid == kid for key in keys)


def describes(named: str, issuer: str) -> bool:
    """True where `named` is this issuer; TENANT in it stands for one part of a path."""
    pattern = re.escape(named.rstrip("/")).replace(re.escape(TENANT), "[^/]+")
    return re.fullmatch(pattern, issuer.rstrip("/")) is not None


def issuers(named: str, tenants: Iterable[str]) -> list[str]:
    """The issuers that a name stands for: one, or one per tenant."""
    return [named.replace(TENANT, tenant) for tenant in tenants] if TENANT in named else [named]
