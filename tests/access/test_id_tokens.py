"""Verification of ID tokens: keys of every kind, signatures by their newer names, issuers of many tenants."""

import time
from typing import Any

import pytest
from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey

from service.access.id_tokens import Expected, describes, issuers, readable_keys, signed_by, verified_claims

OKP, EC = OKPKey.generate_key("Ed25519", {"kid": "okp"}), ECKey.generate_key("P-256", {"kid": "ec"})
ISSUER, EVERYONES = "https://login.example/a/v2.0", "https://login.example/{tenantid}/v2.0"


def token(key: Key = EC, alg: str = "ES256", **claims: Any) -> str:
    at_hash = create_half_hash("access", "EdDSA" if alg == "Ed25519" else alg)
    assert at_hash
    now = int(time.time())
    sound = {"iss": ISSUER, "aud": "offload", "sub": "1", "exp": now + 60, "iat": now, "nonce": "n"}
    return jwt.encode(
        {"alg": alg, "kid": key.kid}, sound | {"at_hash": at_hash.decode()} | claims, key, algorithms=[alg]
    )


def verified(token: str, issuer: str = ISSUER, tenants: tuple[str, ...] = ()) -> dict[str, Any]:
    expected = Expected(issuer, "offload", "n", "access", tenants)
    return verified_claims(token, KeySet([OKP, EC]), ("ES256", "EdDSA", "Ed25519", "none"), expected)


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (OKP, "Ed25519"), (OKP, "EdDSA")])
def test_the_hash_of_the_access_token_is_compared_under_each_name_of_an_algorithm(key: Key, alg: str) -> None:
    assert verified(token(key, alg))["sub"] == "1"
    with pytest.raises(InvalidClaimError, match="at_hash"):
        verified(token(key, alg, at_hash="AAAAAAAAAAAAAAAAAAAAAA"))


def test_an_issuer_of_many_tenants_is_the_tokens_own_tenants() -> None:
    assert verified(token(tid="a"), EVERYONES, ("a", "b"))["tid"] == "a"
    for wrong in (token(tid="b"), token(tid="c", iss="https://login.example/c/v2.0"), token(), token(iss=EVERYONES)):
        with pytest.raises(InvalidClaimError):
            verified(wrong, EVERYONES, ("a", "b"))
    with pytest.raises(InvalidClaimError, match="tid"):
        verified(token(tid="b"), ISSUER, ("a",))


@pytest.mark.parametrize(
    "strange",
    [
        {"kty": "EC", "crv": "BP-256", "kid": "1", "x": "AA", "y": "AA"},
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": "2", "pub": "AA"},
        {"kty": "RSA", "kid": "3"},
        {"kid": "4"},
        "not a key",
    ],
)
def test_a_key_that_cannot_be_read_does_not_hide_the_others(strange: Any) -> None:
    published = {"keys": [strange, EC.as_dict(private=False), OKP.as_dict(private=False) | {"use": "enc"}]}
    assert [key.kid for key in readable_keys(published)] == ["ec"]


@pytest.mark.parametrize("published", [{}, {"keys": []}, {"keys": None}, []])
def test_no_keys_are_none(published: Any) -> None:
    assert not readable_keys(published)


def test_a_token_whose_key_is_gone_is_known() -> None:
    assert signed_by(token(), KeySet([EC, OKP])) and not signed_by(token(), KeySet([OKP]))
    assert not signed_by("no token", KeySet([EC]))


def test_names_of_issuers() -> None:
    assert describes(ISSUER, ISSUER + "/") and describes(EVERYONES, "https://login.example/organizations/v2.0")
    assert not describes(ISSUER, "https://login.example/b/v2.0")
    assert not describes(EVERYONES, "https://login.example/a/b/v2.0")
    assert issuers(EVERYONES, ("a",)) == [ISSUER] and issuers(ISSUER, ("b",)) == [ISSUER]
