"""OpenID Connect: the authorization code flow with PKCE, towards the provider of the settings.

The provider is asked when it is first needed: one that is down keeps nothing of the dashboard from starting.
"""

import asyncio
import re
import ssl
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from service.access.pending_sign_in import Pending
from service.access.users import NAME
from settings.oidc import Oidc as OidcSettings
from settings.oidc import loopback

TIMEOUT_S = 10
"""Seconds for one answer of the provider: a person waits in front of a page."""

FRESH_S = 3_600
"""Seconds for which the provider's description is trusted. Its keys are fetched again as soon as one is unknown."""

LEEWAY_S = 60
"""Seconds by which the provider's clock and ours may differ."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures that only the provider can make: none, and those by a shared secret, are not among them."""

ID_TOKEN_MAX = 16_384
"""Characters of an ID token that is kept for the sign-out at the provider."""

GROUPS_MAX = 1_000

CODE = re.compile(r"[a-z_]{1,60}")
"""An OAuth error code: only such a one is shown and kept."""

log = structlog.get_logger("offload.access")


class ProviderAway(Exception):
    """The provider does not answer, or not as a provider does. The message is a sentence."""


class NotSignedIn(Exception):
    """A sign-in that the provider, or a check here, has refused. The message is a sentence."""


@dataclass(frozen=True)
class Identity:
    """A person as the provider names it."""

    subject: str
    name: str
    groups: tuple[str, ...]
    id_token: str = field(repr=False, default="")
    """Kept where the provider has a page to sign out at; else empty."""


class Oidc:
    """The client of one provider. Raises ProviderAway where that cannot be used."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings, self.issuer = settings, settings.oidc_issuer or ""
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._fresh_until_s = 0.0

    async def authorization_url(self, pending: Pending, redirect_uri: str) -> str:
        """Address of the provider at which the sign-in goes on."""
        metadata = await self.metadata()
        url: str = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self.settings.oidc_client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=" ".join(self.settings.oidc_scopes),
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        return url

    async def identify(self, code: str, pending: Pending, redirect_uri: str) -> Identity:
        """The person for whom the provider issued the code. Raises NotSignedIn too."""
        metadata = await self.metadata()
        tokens = await self._redeem(metadata, code, pending, redirect_uri)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise NotSignedIn("The identity provider sent no ID token.")
        claims = await self._verified(id_token, access_token, pending.nonce)
        if _at(claims, self.settings.oidc_groups_claim) is None and "userinfo_endpoint" in metadata:
            more = await self._ask("GET", metadata["userinfo_endpoint"], headers=_bearer(access_token))
            # Without this, another person's answer could be put in the place of this one's.
            if more.get("sub") != claims["sub"]:
                raise NotSignedIn("The identity provider's answer about the user is about another one.")
            claims = {**more, **claims}
        kept = id_token if "end_session_endpoint" in metadata and len(id_token) <= ID_TOKEN_MAX else ""
        return Identity(claims["sub"], self._name(claims), self._groups(claims), kept)

    async def sign_out_url(self, id_token: str, back: str) -> str:
        """Address at which the provider's own session ends, and from which it leads back; empty where it has none."""
        endpoint = (await self.metadata()).get("end_session_endpoint")
        if not endpoint:
            return ""
        fields = {"client_id": self.settings.oidc_client_id or "", "post_logout_redirect_uri": back}
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(fields | _hint(id_token))}"

    async def metadata(self) -> dict[str, Any]:
        """The provider's description of itself, an hour old at most."""
        if time.monotonic() < self._fresh_until_s:
            return self._metadata
        found = await self._ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        issuer = found.get("issuer")
        if not isinstance(issuer, str) or issuer.rstrip("/") != self.issuer.rstrip("/"):
            raise self._away(f"calls itself '{str(issuer)[:200]}', which is not OFFLOAD_OIDC_ISSUER")
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
            "end_session_endpoint",
        ):
            if name not in found and name in ("userinfo_endpoint", "end_session_endpoint"):
                continue
            parts = urlsplit(str(found.get(name, "")))
            if parts.scheme != "https" and not (parts.scheme == "http" and loopback(parts.hostname)):
                raise self._away(f"names no https:// address as {name}")
        self._metadata, self._keys, self._fresh_until_s = found, None, time.monotonic() + FRESH_S
        return found

    async def _redeem(self, metadata: dict[str, Any], code: str, pending: Pending, redirect_uri: str) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "code_verifier": pending.verifier,
        }  # fmt: skip
        client_id, secret = self.settings.oidc_client_id or "", self.settings.oidc_client_secret
        ways = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        by_header = secret is not None and "client_secret_basic" in ways
        if not by_header:
            fields |= {"client_id": client_id} | ({"client_secret": secret} if secret else {})
        auth = httpx.BasicAuth(client_id, secret) if by_header and secret else None
        return await self._ask("POST", metadata["token_endpoint"], data=fields, auth=auth)

    async def _verified(self, id_token: str, access_token: str, nonce: str) -> dict[str, Any]:
        """Claims of an ID token whose signature, issuer, audience, times and nonce are right. Raises NotSignedIn."""
        options = {
            "iss": {"essential": True, "values": [self._metadata["issuer"]]},
            "aud": {"essential": True, "values": [self.settings.oidc_client_id]},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }
        params = {"nonce": nonce, "client_id": self.settings.oidc_client_id, "access_token": access_token}
        try:
            try:
                token = jwt.decode(id_token, await self._key_set(), registry=self._registry)
            except (InvalidKeyIdError, BadSignatureError):
                # The provider may have changed its keys since they were fetched.
                token = jwt.decode(id_token, await self._key_set(again=True), registry=self._registry)
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("oidc.token_refused", issuer=self.issuer, reason=str(error)[:200])
            raise NotSignedIn("The identity provider's ID token is not valid here.") from error
        return dict(claims)

    @property
    def _registry(self) -> JWSRegistry:
        named = self._metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        return JWSRegistry(algorithms=[one for one in ALGORITHMS if one in named], strict_check_header=False)

    async def _key_set(self, *, again: bool = False) -> KeySet:
        if self._keys is None or again:
            found = await self._ask("GET", self._metadata["jwks_uri"])
            try:
                keys = [one for one in found["keys"] if one.get("use", "sig") == "sig"]
                self._keys = KeySet.import_key_set({"keys": keys})
            except (JoseError, ValueError, TypeError, KeyError, AttributeError):
                raise self._away("publishes no keys that can be read") from None
        return self._keys

    async def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        """The JSON object at an address. Raises NotSignedIn for an OAuth error, ProviderAway for anything else."""
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        try:
            async with asyncio.timeout(TIMEOUT_S), httpx.AsyncClient(timeout=TIMEOUT_S, verify=self._tls) as client:
                answer = await client.request(method, url, headers=headers, **more)
            found = answer.json()
        except (httpx.HTTPError, TimeoutError, OSError, ssl.SSLError) as error:
            log.warning("oidc.provider_away", url=url, error=repr(error)[:200])
            raise self._away("does not answer") from error
        except ValueError as error:
            raise self._away(f"answers {answer.status_code} without JSON") from error
        if answer.is_client_error and isinstance(found, dict) and "error" in found:
            # A wrong client secret is an operator's to fix; a code that was used is not.
            log.warning("oidc.refused", url=url, error=error_code(found["error"]))
            raise NotSignedIn(f"The identity provider has refused the sign-in: {error_code(found['error'])}.")
        if not answer.is_success or not isinstance(found, dict):
            raise self._away(f"answers {answer.status_code} at {urlsplit(url).path[:200]}")
        return found

    def _away(self, how: str) -> ProviderAway:
        return ProviderAway(f"The identity provider {self.issuer} {how}.")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def _groups(self, claims: dict[str, Any]) -> tuple[str, ...]:
        claim = self.settings.oidc_groups_claim
        # An address that no one has verified is anyone's.
        if claim == "email" and claims.get("email_verified") is not True:
            return ()
        found = _at(claims, claim)
        groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return tuple(group for group in groups if isinstance(group, str))[:GROUPS_MAX]

    def _name(self, claims: dict[str, Any]) -> str:
        unverified = claims.get("email_verified") is False
        for claim in (self.settings.oidc_name_claim, "email", "sub"):
            name = claims.get(claim)
            if isinstance(name, str) and NAME.fullmatch(name.strip()) and not (claim == "email" and unverified):
                return name.strip()
        raise NotSignedIn("The identity provider sends no name that can be used: set OFFLOAD_OIDC_NAME_CLAIM.")


def error_code(error: object) -> str:
    """The code of an OAuth error; other text of a stranger's is not repeated."""
    return error if isinstance(error, str) and CODE.fullmatch(error) else "an unknown error"


def _at(claims: dict[str, Any], path: str) -> Any:
    """The claim of this name; else the one at the end of a path with dots."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}"}


def _hint(id_token: str) -> dict[str, str]:
    return {"id_token_hint": id_token} if id_token else {}
