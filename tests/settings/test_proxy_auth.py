"""Settings of a proxy that signs people in."""

from typing import Any

import pytest

from settings import Role
from settings.groups import FORM, Rights
from settings.load import read_settings
from settings.proxy_auth import Headers

SOUND = {"PROXY_AUTH_FROM": "10.0.0.7, fd00::/64", "PROXY_AUTH_ROLES": "ops=operator"}


def read(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Any:
    given = {f"OFFLOAD_{name}": value for name, value in (SOUND | changes).items()}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return read_settings(given)


def test_a_sound_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)
    assert [str(network) for network in settings.proxy_auth_from] == ["10.0.0.7/32", "fd00::/64"]
    assert settings.proxy_auth_roles == {"ops": Rights(Role.OPERATOR, True)}
    assert settings.proxy_auth_headers == Headers("x-forwarded-user", "x-forwarded-email", "x-forwarded-groups")
    named = read(monkeypatch, PROXY_AUTH_HEADERS="Remote-User, Remote-Email, Remote-Email")
    assert named.proxy_auth_headers == Headers("remote-user", "remote-email", "remote-email")


def test_without_its_addresses_the_mode_is_off() -> None:
    assert read_settings({}).proxy_auth_from == ()


NO_NAME = "in it, which is no name of a header: letters, digits and dashes."
THREE = "takes three names of headers, separated by commas: of the user, the address and the groups."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"FROM": "proxy.example"}, "FROM is 'proxy.example', but takes addresses and networks of the proxy, separated by commas."),
        ({"FROM": "10.0.0.7/8"}, "FROM is '10.0.0.7/8', but takes addresses and networks of the proxy, separated by commas."),
        ({"FROM": "10.0.0.7,0.0.0.0/0"}, "FROM holds 0.0.0.0/0, which is everyone: name the proxy's own addresses."),
        ({"FROM": "::/0"}, "FROM holds ::/0, which is everyone: name the proxy's own addresses."),
        ({"ROLES": ""}, f"FROM is set without OFFLOAD_PROXY_AUTH_ROLES, so that no one may sign in: {FORM}."),
        ({"FROM": ""}, "ROLES is set without OFFLOAD_PROXY_AUTH_FROM, and does nothing."),
        ({"FROM": "", "ROLES": "", "HEADERS": "a,b,c"}, "HEADERS is set without OFFLOAD_PROXY_AUTH_FROM, and does nothing."),
        ({"ROLES": "ops=root"}, "ROLES gives the group 'ops' the role 'root': there are operator and viewer."),
        ({"HEADERS": "X-User"}, f"HEADERS {THREE}"),
        ({"HEADERS": "X-User,,X-Groups"}, f"HEADERS has '' {NO_NAME}"),
        ({"HEADERS": "X_User,X-Email,X-Groups"}, f"HEADERS has 'X_User' {NO_NAME}"),
        ({"HEADERS": "Authorization,X-Email,X-Groups"}, "HEADERS names Authorization, which says something else of a request."),
    ],
)  # fmt: skip
def test_a_bad_one_is_a_sentence(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(SystemExit) as caught:
        read(monkeypatch, **{f"PROXY_AUTH_{name}": value for name, value in changes.items()})
    assert str(caught.value) == f"OFFLOAD_PROXY_AUTH_{sentence}"
