"""Owners for whom an operator may make something: forms offer these, and handlers of forms check the choice."""

from typing import Any

from litestar import Request

from dashboard.auth import User
from service.services import Services

OWNER = "as_owner"
"""Form field: for whom it is. It has a name that no payload has."""


def owners(request: Request[User, Any, Any], services: Services) -> list[str]:
    """The operator, and every owner of a key."""
    return [request.user.owner, *sorted(set(services.settings.api_keys.values()))]
