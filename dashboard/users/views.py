"""GET /admin/users: who may sign in, with which rights, and the sessions that are open."""

from collections import Counter
from typing import Any

from litestar import Request, get
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import User
from dashboard.flash_messages import NOTICES
from dashboard.rendering import administers, render
from service.api.dependencies import ServicesDep
from service.lib.user_agent import browser_name
from settings.credentials import PASSWORD_MIN, Role
from settings.queues import Queue


def require_administrator(request: Request[User, Any, Any]) -> None:
    """Raises PermissionDeniedException (403) unless the user is an operator of everything, who sees personal data."""
    if not administers(request.user):
        sentence = f"Users are for operators of all queues who see personal data; {request.user.name} is none of them."
        raise PermissionDeniedException(sentence)


@get("/users", name="users")
async def users_page(request: Request[User, Any, Any], services: ServicesDep, notice: FromQuery[str] = "") -> Template:
    """The page. Users of the environment are shown, and changed where they are declared."""
    require_administrator(request)
    sessions = await services.sessions.list()
    number = Counter(one.name for one in sessions)
    return render(
        request,
        "users/page.html",
        rows=await services.users.list(),
        declared=services.settings.dashboard_users,
        sessions=[(one, browser_name(one.browser)) for one in sessions],
        several={name for name, count in number.items() if count > 1},
        roles=list(Role),
        queues=list(Queue),
        password_min=PASSWORD_MIN,
        notice=NOTICES.get(notice),
    )
