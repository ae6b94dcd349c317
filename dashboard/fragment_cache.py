"""A fragment that looks the same to all users of the same rights is drawn once for all of them, not once for each."""

from typing import Any

from litestar import MediaType, Request, Response

from dashboard.auth import User
from dashboard.redaction import personal_values, redacted
from dashboard.rendering import UNSTORED, shared_context
from dashboard.zones import current_zone
from service.lib.languages import current_language
from settings.credentials import Role

Drawings = dict[tuple[Role, bool, str, str], str]
"""HTML by role, by the right to personal data, by language and by zone. It goes with the figures that it shows."""


def drawn(request: Request[User, Any, Any], drawings: Drawings, template: str, **context: Any) -> Response[str]:
    """The fragment, out of `drawings` if a user of the same rights has had it. It must hold no form: tokens are personal."""
    rights = request.user.role, request.user.sees_personal, current_language(), current_zone().key
    if rights not in drawings:
        engine: Any = request.app.template_engine
        html = engine.get_template(template).render(**shared_context(request, token=""), **context)
        drawings[rights] = html if request.user.sees_personal else redacted(html, personal_values(context))
    return Response(drawings[rights], media_type=MediaType.HTML, headers=UNSTORED)
