"""Settings of the identity provider, and the rights of its groups."""

from typing import Any

import pytest

from settings import Role
from settings.groups import FORM, Rights, parse_group_rights, rights_of
from settings.load import read_settings

SOUND = {
    "OIDC_ISSUER": "https://login.company.example",
    "OIDC_CLIENT_ID": "offload",
    "OIDC_ROLES": "ops=operator",
    "OIDC_CLIENT_SECRET": "hunter2-hunter2",
}


def read(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Any:
    given = {f"OFFLOAD_{name}": value for name, value in (SOUND | changes).items()}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return read_settings(given)


def test_the_secret_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, OIDC_SCOPES="openid, groups")
    assert settings.oidc_scopes == ("openid", "groups") and settings.oidc_roles == {"ops": Rights(Role.OPERATOR, True)}
    assert "hunter2" not in repr(settings)


def test_tenants_are_compared_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, OIDC_TENANTS="6F4F0C0E-3A55-4F0B-9D0E-0D5F2F8A1B11, ")
    assert settings.oidc_tenants == ("6f4f0c0e-3a55-4f0b-9d0e-0d5f2f8a1b11",)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"OIDC_CLIENT_ID": ""}, "OFFLOAD_OIDC_ISSUER is set without OFFLOAD_OIDC_CLIENT_ID."),
        (
            {"OIDC_ROLES": ""},
            f"OFFLOAD_OIDC_ISSUER is set without OFFLOAD_OIDC_ROLES, so that no one may sign in: {FORM}.",
        ),
        ({"OIDC_ISSUER": ""}, "OFFLOAD_OIDC_CLIENT_ID is set without OFFLOAD_OIDC_ISSUER, and does nothing."),
        (
            {"OIDC_ISSUER": "http://login.company.example"},
            "OFFLOAD_OIDC_ISSUER is an http:// URL of another machine: keys and tokens come from there, so it takes https://.",
        ),
        (
            {"OIDC_ISSUER": "login.company.example"},
            "OFFLOAD_OIDC_ISSUER is 'login.company.example', but takes the provider's https:// URL, to which "
            "/.well-known/openid-configuration is added.",
        ),
        (
            {"OIDC_SCOPES": "email"},
            "OFFLOAD_OIDC_SCOPES lacks the scope openid, without which a provider sends no ID token.",
        ),
        (
            {"OIDC_TENANTS": "company.example"},
            "OFFLOAD_OIDC_TENANTS has 'company.example' in it, which is not the id of a tenant: 8-4-4-4-12 hexadecimal "
            "digits.",
        ),
        ({"OIDC_ROLES": "operator"}, f"OFFLOAD_OIDC_ROLES has the entry 'operator' without a group: write {FORM}."),
        ({"OIDC_ROLES": "=viewer"}, f"OFFLOAD_OIDC_ROLES has the entry '=viewer' without a group: write {FORM}."),
        (
            {"OIDC_ROLES": "ops=root"},
            "OFFLOAD_OIDC_ROLES gives the group 'ops' the role 'root': there are operator and viewer.",
        ),
        ({"OIDC_ROLES": "a=viewer;a=viewer"}, "OFFLOAD_OIDC_ROLES names the group 'a' twice."),
        (
            {"OIDC_ROLES": "a=viewer perhaps"},
            f"OFFLOAD_OIDC_ROLES gives the group 'a' rights that cannot be read: write {FORM}.",
        ),
    ],
)
def test_a_bad_value_is_a_sentence(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(SystemExit) as stop:
        read(monkeypatch, **changes)
    assert str(stop.value) == sentence


def test_an_unknown_queue_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="gives the group 'a' the queue 'nowhere': there are pdf-processing, "):
        read(monkeypatch, OIDC_ROLES="a=operator in nowhere")


def test_a_provider_on_this_machine_may_speak_http(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, OIDC_ISSUER="http://127.0.0.1:9400").oidc_issuer == "http://127.0.0.1:9400"


def test_groups_add_up() -> None:
    mapping = parse_group_rights(
        "CN=Ops,DC=x=operator; mail=operator in email-sender without personal; /pdf=operator in pdf-processing+thumbnails "
        "without personal; help=viewer with personal; staff=viewer"
    )
    assert rights_of(["CN=Ops,DC=x", "mail"], mapping) == Rights(Role.OPERATOR, True)
    assert rights_of(["staff"], mapping) == Rights(Role.VIEWER, False)
    assert rights_of(["mail", "/pdf", "staff"], mapping) == Rights(
        Role.OPERATOR, False, ("email-sender", "pdf-processing", "thumbnails")
    )
    assert rights_of(["help", "mail"], mapping) == Rights(Role.OPERATOR, True, ("email-sender",))
    assert rights_of(["other", "STAFF"], mapping) is None
