"""Names and groups of people, as providers write them."""

from typing import Any

import pytest

from service.access.oidc_claims import claim_at, groups_left_out, groups_of, name_of
from settings.groups import parse_group_rights
from settings.oidc import Oidc


def settings(roles: str = "ops=operator", **more: Any) -> Oidc:
    given = {"oidc_issuer": "https://login.example", "oidc_client_id": "offload", **more}
    return Oidc(oidc_roles=parse_group_rights(roles), **given)


CLIENTS = {"resource_access": {"offload.example": {"roles": ["ops"]}, "offload": {"roles": ["no"]}}, "a": {"b": 1}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("resource_access.offload.example.roles", ["ops"]),
        ("resource_access.offload.roles", ["no"]),
        ("resource_access.another.roles", None),
        ("a.b", 1),
        ("a.b.c", None),
        ("", None),
    ],
)
def test_a_path_leads_through_names_that_hold_dots(path: str, found: object) -> None:
    assert claim_at(CLIENTS, path) == found
    assert claim_at({"https://company.example/groups": ["ops"]}, "https://company.example/groups") == ["ops"]


def test_a_group_counts_after_any_number_of_others() -> None:
    groups = [f"group {number}" for number in range(2_000)] + ["ops", 7, None]
    assert groups_of({"groups": groups}, settings()) == ("ops",)
    assert groups_of({"groups": "ops"}, settings()) == ("ops",)
    assert groups_of({"groups": ["/company/ops", "ops"]}, settings("/company/ops=viewer")) == ("/company/ops",)


@pytest.mark.parametrize(
    ("claims", "left_out"),
    [
        ({"_claim_names": {"groups": "src1"}}, True),
        ({"hasgroups": True}, True),
        ({"hasgroups": "true"}, True),
        ({"_claim_names": {"other": "src1"}}, False),
        ({"_claim_names": {"groups": "src1"}, "groups": []}, False),
        ({"_claim_names": None}, False),
        ({}, False),
    ],
)
def test_groups_that_a_provider_leaves_out(claims: dict[str, Any], left_out: bool) -> None:
    assert groups_left_out(claims, "groups") is left_out


def test_an_address_names_a_person_where_it_cannot_be_anothers() -> None:
    one, several = settings(), settings(oidc_tenants=("6f4f0c0e-3a55-4f0b-9d0e-0d5f2f8a1b11",))
    claims = {"sub": "1", "email": "eva@company.example"}
    assert name_of(claims, one) == "eva@company.example" and name_of(claims, several) == "1"
    assert name_of(claims | {"email_verified": False}, one) == "1"
    assert name_of(claims | {"email_verified": True}, several) == "eva@company.example"
    assert name_of({"sub": "a/b"}, one) == ""
