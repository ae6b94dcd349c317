"""Credentials for the API and the dashboard. What is not given is generated once and kept in the data folder."""

import secrets
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Protocol, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

from settings.private_files import create_private

SECRET_MIN = 16
"""Characters of an API key. A machine keeps it, so nothing speaks for a short one."""

PASSWORD_MIN = 12
"""Characters. Short enough to be typed, and at the rate of the throttle beyond any guesser."""

API_KEY_BYTES = 24
"""192 random bits: an API key is compared, never typed."""

PASSWORD_BYTES = 12
"""96 random bits in 16 characters: typed once into a browser's dialog."""


class Role(StrEnum):
    """Rights of a dashboard user."""

    OPERATOR = "operator"
    """Sees everything and may act."""
    VIEWER = "viewer"
    """Sees, with personal fields masked, and may not act."""


class DashboardUser(BaseModel):
    """Password and role of one dashboard user."""

    model_config = ConfigDict(frozen=True)

    password: str = Field(repr=False, min_length=PASSWORD_MIN)
    role: Role


def parse_api_keys(given: Any) -> Any:
    """`owner:secret,owner:secret` as {secret: owner}. An owner may hold several keys, so that one can be replaced."""
    if not isinstance(given, str):
        return given
    keys: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in given.split(","))):
        owner, _, secret = entry.partition(":")
        if not owner or len(secret) < SECRET_MIN or secret in keys:
            raise ValueError("no such list")
        keys[secret] = owner
    if not keys:
        raise ValueError("an empty list")
    return keys


def parse_dashboard_users(given: Any) -> Any:
    """`name:password:role,…` as {name: DashboardUser}. A password may contain colons, but no comma."""
    if not isinstance(given, str):
        return given
    users: dict[str, DashboardUser] = {}
    for entry in filter(None, (part.strip() for part in given.split(","))):
        name, _, rest = entry.partition(":")
        password, _, role = rest.rpartition(":")
        if not name or name in users:
            raise ValueError("no such list")
        users[name] = DashboardUser(password=password, role=cast(Role, role))
    if not users:
        raise ValueError("an empty list")
    return users


class _Generated(BaseModel):
    """The credentials file of a data folder, in the words of the two variables it stands in for."""

    api_keys: Annotated[dict[str, str], BeforeValidator(parse_api_keys)]
    dashboard_users: Annotated[dict[str, DashboardUser], BeforeValidator(parse_dashboard_users)]


class _HasDataDir(Protocol):
    data_dir: Path


def _new_credentials() -> str:
    password = secrets.token_urlsafe
    return (
        f"OFFLOAD_API_KEYS=demo:{secrets.token_urlsafe(API_KEY_BYTES)}\n"
        f"OFFLOAD_DASHBOARD_USERS=admin:{password(PASSWORD_BYTES)}:operator,viewer:{password(PASSWORD_BYTES)}:viewer\n"
    )


def _stored_credentials(file: Path) -> _Generated:
    """Read the credentials file, making it first where there is none. Raises SystemExit with one sentence."""
    try:
        lines = dict(line.split("=", 1) for line in create_private(file, _new_credentials()).splitlines() if line)
        return _Generated(api_keys=lines["OFFLOAD_API_KEYS"], dashboard_users=lines["OFFLOAD_DASHBOARD_USERS"])
    except OSError as error:
        raise SystemExit(
            f"OFFLOAD_DATA_DIR is '{file.parent}', where {file.name} cannot be kept: {error.strerror}."
        ) from None
    except (ValueError, KeyError):
        raise SystemExit(f"{file} is damaged: delete it, and new credentials are generated.") from None


class Credentials(BaseModel):
    """API keys and dashboard users."""

    model_config = ConfigDict(frozen=True)

    given_api_keys: Annotated[dict[str, str] | None, NoDecode, BeforeValidator(parse_api_keys)] = Field(
        default=None,
        repr=False,
        validation_alias="OFFLOAD_API_KEYS",
        description=f"owner:secret,owner:secret with secrets of at least {SECRET_MIN} characters, no two the same",
        json_schema_extra={"secret": True},
    )
    given_dashboard_users: Annotated[
        dict[str, DashboardUser] | None, NoDecode, BeforeValidator(parse_dashboard_users)
    ] = Field(
        default=None,
        repr=False,
        validation_alias="OFFLOAD_DASHBOARD_USERS",
        description="name:password:operator,name:password:viewer "
        f"with passwords of at least {PASSWORD_MIN} characters, no name twice",
        json_schema_extra={"secret": True},
    )

    @property
    def credentials_file(self) -> Path:
        """Holds the generated credentials, 0600."""
        return cast(_HasDataDir, self).data_dir / "credentials"

    @cached_property
    def _generated(self) -> _Generated:
        return _stored_credentials(self.credentials_file)

    @property
    def api_keys(self) -> dict[str, str]:
        """{secret: owner}, as given or as generated. The first use may write the credentials file."""
        return self.given_api_keys or self._generated.api_keys

    @property
    def dashboard_users(self) -> dict[str, DashboardUser]:
        """{name: DashboardUser}, as given or as generated. The first use may write the credentials file."""
        return self.given_dashboard_users or self._generated.dashboard_users
