"""Rendering a page or a fragment for a user: the variables that every template has."""

from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.response import Template

from dashboard import csrf
from dashboard.auth import User
from dashboard.preferences.choice import chosen
from dashboard.redaction import RedactedTemplate
from dashboard.zones import current_zone
from service.lib.clock import now_ms
from service.lib.languages import LANGUAGES, current_language

HTMX_STOP_POLLING = 286
"""The status by which htmx ends a poll: nothing more will change."""


@dataclass(frozen=True)
class Link:
    """An entry of the bar on top. `key` is what one types after g to go there; `acting` says that viewers may not.

    It stands in the menu `menu`, or in the bar, where that is empty.
    """

    name: str
    address: str
    key: str
    acting: bool = False
    menu: str = "System"


UNSTORED = {"Cache-Control": "no-store"}

NAVIGATION = (
    Link("Queues", "/admin/queues", "q", menu=""),
    Link("Jobs", "/admin/jobs", "j", menu=""),
    Link("Documents", "/admin/documents", "d", menu=""),
    Link("Errors", "/admin/errors", "e", menu=""),
    Link("Alerts", "/admin/alerts", "a", menu=""),
    Link("Saved views", "/admin/views", "y", menu="Work"),
    Link("Doubtful pages", "/admin/doubtful", "b", menu="Work"),
    Link("Schedules", "/admin/schedules", "s", menu="Work"),
    Link("Templates", "/admin/templates", "t", menu="Work"),
    Link("Webhooks", "/admin/webhooks", "h", menu="Work"),
    Link("Owners", "/admin/owners", "o", menu="People"),
    Link("Fairness", "/admin/fairness", "f", menu="People"),
    Link("Keys", "/admin/keys", "k", acting=True, menu="People"),
    Link("Users", "/admin/users", "p", menu="People"),
    Link("Audit", "/admin/audit", "u", menu="People"),
    Link("Workers", "/admin/workers", "w"),
    Link("Services", "/admin/services", "v"),
    Link("Metrics", "/admin/metrics", "m"),
    Link("Incident capsule", "/admin/capsule", "c"),
    Link("Storage", "/admin/storage", "r"),
)


def render(request: Request[User, Any, Any], template: str, *, status_code: int = 200, **context: Any) -> Template:
    """A page: its context, the user, the bar on top, the form token, and the cookie that the token is compared with."""
    token = csrf.token_for(request)
    kind = Template if request.user.sees_personal else RedactedTemplate
    return kind(
        template_name=template,
        context=shared_context(request, token) | context,
        status_code=status_code,
        headers=UNSTORED,
        cookies=[] if request.cookies.get(csrf.COOKIE) == token else [csrf.cookie_of(request, token)],
    )


def administers(user: User) -> bool:
    """True for an operator of everything, who may see and change the other users."""
    return user.may_act and not user.queues and user.sees_personal


def shared_context(request: Request[User, Any, Any], token: str) -> dict[str, Any]:
    """Context of every template."""
    return {
        "user": request.user,
        "csrf": token,
        "now": now_ms(),
        "path": request.url.path,
        "language": current_language(),
        "languages": LANGUAGES,
        "zone": current_zone().key,
        # Without a choice the browser's zone holds, which only a script knows for sure.
        "chosen_zone": chosen(request, request.user)[1],
        "navigation": [
            link
            for link in NAVIGATION
            if (request.user.may_act or not link.acting) and (link.name != "Users" or administers(request.user))
        ],
        # Set before pages by dashboard/routes.py; an error page may come before that.
        "firing_count": getattr(request.state, "firing_count", 0),
        "undoable": getattr(request.state, "undoable", ()),
        "undoable_operations": getattr(request.state, "undoable_operations", ()),
        "silent": getattr(request.state, "silent", ()),
    }
