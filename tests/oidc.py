"""A real OpenID Connect provider on loopback (oidc-provider-mock), which also holds clients to PKCE and can be made to fail."""

import io
import json
import threading
import warnings
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

with warnings.catch_warnings():
    # Of authlib, about what the provider imports.
    warnings.simplefilter("ignore")
    from oidc_provider_mock import User
    from oidc_provider_mock._app import AuthorizationCodeGrant
    from oidc_provider_mock._app import app as provider_app

# It knows public clients and lets none of them redeem a code.
AuthorizationCodeGrant.TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]


@cache
def rsa_key(kid: str) -> RSAKey:
    """A key of this name, made once."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@dataclass
class Provider:
    """State of the provider that a test reads, and changes to its answers."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: rsa_key("first"))
    published: list[RSAKey] = field(default_factory=list)
    down: str = ""
    """Beginning of the paths that answer 502."""
    claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    """Changes the claims of the next ID tokens."""
    sign: Callable[[dict[str, Any]], str] | None = None
    """Signs in the place of the provider's key."""
    described: dict[str, Any] = field(default_factory=dict)
    """Fields of its description in the place of its own."""
    requests: list[str] = field(default_factory=list)
    challenges: dict[str, str] = field(default_factory=dict)
    secret: str = "the client's+secret%"
    """With the signs that have to be encoded in an Authorization header."""
    in_form_only: bool = False
    """Clients are registered to send their secret in the form, whatever the description names."""

    def reset(self) -> None:
        """Forget what a test has changed, and what it has asked for."""
        vars(self).update(vars(Provider(url=self.url)))

    def signed(self, claims: dict[str, Any], key: RSAKey | None = None, alg: str = "RS256") -> str:
        key = key or self.key
        return jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])


class Wrapped:
    """The provider's application, with PKCE, a client secret and the faults that a test asks for."""

    def __init__(self, app: Any, provider: Provider) -> None:
        self.app, self.provider = app, provider

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        provider, body = self.provider, Request(environ).get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        request = Request(dict(environ, **{"wsgi.input": io.BytesIO(body)}))
        provider.requests.append(request.path)
        if provider.down and request.path.startswith(provider.down):
            return Response("bad gateway", 502)(environ, start)
        if request.path == "/jwks":
            keys = [one.as_dict(private=False) for one in provider.published or [provider.key]]
            return Response(json.dumps({"keys": keys}), mimetype="application/json")(environ, start)
        if request.path == "/oauth2/token" and provider.in_form_only and request.authorization:
            return Response('{"error": "invalid_client"}', 401, mimetype="application/json")(environ, start)
        if request.path == "/oauth2/token" and not self._holds(request):
            return Response('{"error": "invalid_grant"}', 400, mimetype="application/json")(environ, start)
        answer = Response.from_app(self.app, environ)
        if request.path == "/oauth2/authorize" and "location" in answer.headers:
            back = parse_qs(urlsplit(answer.headers["location"]).query)
            if "code" in back and request.args.get("code_challenge_method") == "S256":
                provider.challenges[back["code"][0]] = request.args["code_challenge"]
        if answer.mimetype == "application/json" and answer.status_code == 200:
            answer.set_data(json.dumps(self._changed(request.path, json.loads(answer.get_data()))))
        return answer(environ, start)

    def _holds(self, request: Request) -> bool:
        verifier = request.form.get("code_verifier", "")
        basic = request.authorization
        given = unquote_plus(basic.password or "") if basic else request.form.get("client_secret", "")
        return given == self.provider.secret and self.provider.challenges.pop(
            request.form.get("code", ""), None
        ) == create_s256_code_challenge(verifier)

    def _changed(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path.endswith("/openid-configuration"):
            return body | self.provider.described
        if path == "/oauth2/token":
            payload = body["id_token"].split(".")[1]
            claims = self.provider.claims(json.loads(_decoded(payload)))
            body["id_token"] = (self.provider.sign or self.provider.signed)(claims)
        return body


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


@contextmanager
def oidc_provider(*people: User) -> Iterator[Provider]:
    """Serve the provider in a thread of its own. `people` can sign in there."""
    provider = Provider()
    server = make_server("127.0.0.1", 0, Wrapped(provider_app(user_claims=people), provider), threaded=True)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def person(name: str, **claims: Any) -> User:
    """A person of the company."""
    return User(sub=f"id-of-{name}", claims={"preferred_username": name, "email": f"{name}@company.example", **claims})


def unsigned(claims: dict[str, Any]) -> str:
    """A token of the algorithm `none`."""
    return f"{_part({'alg': 'none'})}.{_part(claims)}."


def signed_by_secret(secret: str, claims: dict[str, Any]) -> str:
    """A token that anyone with the client's secret can make."""
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret), algorithms=["HS256"])


def _part(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
