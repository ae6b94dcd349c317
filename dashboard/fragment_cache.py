"""A fragment that looks the same to everybody of a role is drawn once for all of them, not once for each."""

from typing import Any

from litestar import MediaType, Request, Response

from dashboard.auth import User
from dashboard.rendering import UNSTORED, shared_context
from settings.credentials import Role

Drawings = dict[Role, str]
"""HTML by role. It lies with the figures that it shows, and goes with them."""


def drawn(request: Request[User, Any, Any], drawings: Drawings, template: str, **context: Any) -> Response[str]:
    """The fragment, out of `drawings` if a user of the same role has had it. It must hold no form: tokens are personal."""
    role = request.user.role
    if role not in drawings:
        engine: Any = request.app.template_engine
        drawings[role] = engine.get_template(template).render(**shared_context(request, token=""), **context)
    return Response(drawings[role], media_type=MediaType.HTML, headers=UNSTORED)
