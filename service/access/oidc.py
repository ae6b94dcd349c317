"""OpenID Connect: the authorization code flow with PKCE, towards the provider of the settings.

The provider is asked when it is first needed: one that is down keeps nothing of the dashboard from starting.
"""

import asyncio
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from service.access.id_tokens import (
    TENANT,
    Expected,
    describes,
    issuers,
    readable_keys,
    signed_by,
    verified_claims,
)
from service.access.oidc_claims import claim_at, groups_left_out, groups_of, name_of
from service.access.pending_sign_in import Pending
from service.lib.single_flight import Shared
from settings.oidc import Oidc as OidcSettings
from settings.oidc import loopback

TIMEOUT_S = 10
"""Seconds for one answer of the provider: a person waits in front of a page."""

FRESH_S = 3_600
"""Seconds for which the provider's description is trusted. Its keys are fetched again as soon as one is unknown."""

ANSWERED_S = 1
"""Seconds after which a browser is not sent to the provider before that has answered again: a page here says what is wrong,
and a browser's own page of an address at which nothing listens does not. Strangers can have it called once in that time.
"""

ID_TOKEN_MAX = 16_384
"""Characters of an ID token that is kept for the sign-out at the provider."""

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint")
OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")

ENCRYPTED_PARTS = 5
"""Parts of an encrypted token (RFC 7516); a signed one has three."""

CODE = re.compile(r"[a-z_]{1,60}")
"""An OAuth error code: only such a one is shown and kept."""

log = structlog.get_logger("offload.access")


class ProviderAway(Exception):
    """The provider does not answer, or not as a provider does. The message is a sentence."""


class NotSignedIn(Exception):
    """A sign-in that the provider, or a check here, has refused. The message is a sentence."""


@dataclass(frozen=True)
class Identity:
    """A person as the provider names it. `groups` are those that count here."""

    subject: str
    name: str
    groups: tuple[str, ...]
    id_token: str = field(repr=False, default="")
    """Kept where the provider has a page to sign out at; else empty."""
    groups_left_out: bool = False
    """True where the provider has left groups out of the token, as there are too many."""


class Oidc:
    """The client of one provider. Raises ProviderAway where that cannot be used."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings, self.issuer = settings, settings.oidc_issuer or ""
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._fresh_until_s = 0.0
        self._certificates: ssl.SSLContext | None = None
        self._described = Shared(self._describe, fresh_s=ANSWERED_S)

    async def authorization_url(self, pending: Pending, redirect_uri: str) -> str:
        """Address of the provider, which has just answered, at which the sign-in goes on."""
        metadata = await self._described()
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

    async def check_sender(self, issuer: str | None) -> None:
        """Refuse an answer that another provider has sent (RFC 9207). Raises NotSignedIn.

        `issuer` is the answer's `iss`, None without one. Without this, another provider's code would be sent to this one.
        """
        metadata = await self.metadata()
        if issuer is None and metadata.get("authorization_response_iss_parameter_supported") is not True:
            return
        if issuer not in issuers(metadata["issuer"], self.settings.oidc_tenants):
            raise NotSignedIn("The answer comes from another identity provider than the one that was asked.")

    async def identify(self, code: str, pending: Pending, redirect_uri: str) -> Identity:
        """The person for whom the provider issued the code. Raises NotSignedIn too."""
        metadata = await self.metadata()
        tokens = await self._redeem(metadata, code, pending, redirect_uri)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise NotSignedIn("The identity provider sent no ID token.")
        claims = await self._verified(id_token, access_token, pending.nonce)
        wanted = (self.settings.oidc_groups_claim, self.settings.oidc_name_claim)
        if "userinfo_endpoint" in metadata and any(claim_at(claims, one) is None for one in wanted):
            more = await self._ask("GET", metadata["userinfo_endpoint"], headers=_bearer(access_token))
            # Without this, another person's answer could be put in the place of this one's.
            if more.get("sub") != claims["sub"]:
                raise NotSignedIn("The identity provider's answer about the user is about another one.")
            claims = {**more, **claims}
        name = name_of(claims, self.settings)
        if not name:
            raise NotSignedIn("The identity provider sends no name that can be used: set OFFLOAD_OIDC_NAME_CLAIM.")
        kept = id_token if "end_session_endpoint" in metadata and len(id_token) <= ID_TOKEN_MAX else ""
        left_out = groups_left_out(claims, self.settings.oidc_groups_claim)
        return Identity(claims["sub"], name, groups_of(claims, self.settings), kept, left_out)

    async def sign_out_url(self, id_token: str, back: str) -> str:
        """Address at which the provider's own session ends, and from which it leads back; empty where it has none."""
        endpoint = (await self.metadata()).get("end_session_endpoint")
        if not endpoint:
            return ""
        fields = {"client_id": self.settings.oidc_client_id or "", "post_logout_redirect_uri": back}
        # Providers refuse a hint that is signed with a key that they have since replaced, and the person stays signed in there.
        if id_token and signed_by(id_token, await self._key_set(again=True)):
            fields["id_token_hint"] = id_token
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(fields)}"

    async def metadata(self) -> dict[str, Any]:
        """The provider's description of itself, an hour old at most."""
        return self._metadata if time.monotonic() < self._fresh_until_s else await self._described()

    async def _describe(self) -> dict[str, Any]:
        found = await self._ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        issuer = found.get("issuer")
        if not isinstance(issuer, str) or not describes(issuer, self.issuer):
            raise self._away(f"calls itself '{str(issuer)[:200]}', which is not OFFLOAD_OIDC_ISSUER")
        if TENANT in issuer and not self.settings.oidc_tenants:
            raise self._away("is that of every tenant: name yours in OFFLOAD_OIDC_ISSUER, or in OFFLOAD_OIDC_TENANTS")
        for name in ENDPOINTS:
            if name not in found and name in OPTIONAL:
                continue
            parts = urlsplit(str(found.get(name, "")))
            if parts.scheme != "https" and not (parts.scheme == "http" and loopback(parts.hostname)):
                raise self._away(f"names no https:// address as {name}")
        if found["jwks_uri"] != self._metadata.get("jwks_uri"):
            self._keys = None
        self._metadata, self._fresh_until_s = found, time.monotonic() + FRESH_S
        return found

    async def _redeem(self, metadata: dict[str, Any], code: str, pending: Pending, redirect_uri: str) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "code_verifier": pending.verifier,
        }  # fmt: skip
        client_id, secret, url = (
            self.settings.oidc_client_id or "", self.settings.oidc_client_secret, metadata["token_endpoint"],
        )  # fmt: skip
        ways = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        in_form = fields | {"client_id": client_id} | ({"client_secret": secret} if secret else {})
        if secret is None or "client_secret_basic" not in ways:
            return await self._ask("POST", url, data=in_form)
        # Encoded before they are joined (RFC 6749, 2.3.1): a secret may hold a colon, a plus or a percent sign.
        auth = httpx.BasicAuth(quote_plus(client_id), quote_plus(secret))
        try:
            return await self._ask("POST", url, data=fields, auth=auth)
        except _BadClient:
            if "client_secret_post" not in ways:
                raise
        # The description names what the provider can do, and not the one way that this client was registered with.
        return await self._ask("POST", url, data=in_form)

    async def _verified(self, id_token: str, access_token: str, nonce: str) -> dict[str, Any]:
        """Claims of an ID token whose signature, issuer, audience, times and nonce are right. Raises NotSignedIn."""
        if id_token.count(".") + 1 == ENCRYPTED_PARTS:
            raise NotSignedIn("The identity provider encrypts its ID tokens: turn that off there, for this client.")
        client_id, tenants = self.settings.oidc_client_id or "", self.settings.oidc_tenants
        expected = Expected(self._metadata["issuer"], client_id, nonce, access_token, tenants)
        algorithms = self._metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        try:
            try:
                return verified_claims(id_token, await self._key_set(), algorithms, expected)
            except (InvalidKeyIdError, BadSignatureError):
                # The provider may have changed its keys since they were fetched.
                return verified_claims(id_token, await self._key_set(again=True), algorithms, expected)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("oidc.token_refused", issuer=self.issuer, reason=str(error)[:200])
            raise NotSignedIn("The identity provider's ID token is not valid here.") from error

    async def _key_set(self, *, again: bool = False) -> KeySet:
        if self._keys is None or again:
            self._keys = readable_keys(await self._ask("GET", self._metadata["jwks_uri"]))
        if not self._keys:
            raise self._away("publishes no keys that can be read")
        return self._keys

    async def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        """The JSON object at an address. Raises NotSignedIn for an OAuth error, ProviderAway for anything else."""
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        try:
            trusted = await self._trusted(url)
            async with asyncio.timeout(TIMEOUT_S), httpx.AsyncClient(timeout=TIMEOUT_S, verify=trusted) as client:
                answer = await client.request(method, url, headers=headers, **more)
            found = answer.json()
        except (httpx.HTTPError, TimeoutError, OSError, ssl.SSLError) as error:
            log.warning("oidc.provider_away", url=url, error=repr(error)[:200])
            raise self._away("does not answer") from error
        except ValueError as error:
            if answer.headers.get("content-type", "").startswith("application/jwt"):
                raise self._away(
                    "signs or encrypts what it says of a user: turn that off there, for this client"
                ) from None
            raise self._away(f"answers {answer.status_code} without JSON") from error
        if answer.is_client_error and isinstance(found, dict) and "error" in found:
            # A wrong client secret is an operator's to fix; a code that was used is not.
            log.warning("oidc.refused", url=url, error=error_code(found["error"]))
            refusal = _BadClient if found["error"] == "invalid_client" else NotSignedIn
            raise refusal(f"The identity provider has refused the sign-in: {error_code(found['error'])}.")
        if not answer.is_success or not isinstance(found, dict):
            raise self._away(f"answers {answer.status_code} at {urlsplit(url).path[:200]}")
        return found

    def _away(self, how: str) -> ProviderAway:
        return ProviderAway(f"The identity provider {self.issuer} {how}.")

    async def _trusted(self, url: str) -> ssl.SSLContext:
        """Certificates to trust at an address: none where it is http:// on this machine."""
        if not url.startswith("https:"):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._certificates is None:
            # In a thread: reading the certificates of the world takes a fifth of a second, in which no page would be answered.
            self._certificates = await asyncio.to_thread(httpx.create_ssl_context)
        return self._certificates


class _BadClient(NotSignedIn):
    """The provider does not know the client, or not by the way in which it showed its secret."""


def error_code(error: object) -> str:
    """The code of an OAuth error; other text of a stranger's is not repeated."""
    return error if isinstance(error, str) and CODE.fullmatch(error) else "an unknown error"


def _bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}"}
