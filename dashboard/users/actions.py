"""POST: add, change and remove a user of the database, and end a session."""

from typing import Any

from litestar import Request, post
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.users.views import require_administrator
from service.access.users import BadUser, NoSuchUser
from service.api.dependencies import ServicesDep
from settings.credentials import Role


@post("/users", status_code=303, opt={ACTION: "user.added"})
async def add_user(request: Request[User, Any, Any], services: ServicesDep) -> Redirect:
    """400 with a sentence for a name that is taken, or a password that is too short."""
    require_administrator(request)
    form = await request.form()
    name, password = str(form.get("name", "")), str(form.get("password", ""))
    role, personal, queues = _rights(form)
    try:
        await services.users.add(name, password, role, created_by=request.user.name, personal=personal, queues=queues)
    except BadUser as error:
        raise ClientException(str(error)) from None
    audit_detail(request, f"{name.strip()}: {_words(role, personal, queues)}")
    return Redirect("/admin/users?notice=user-added", status_code=303)


@post("/users/{name:str}/rights", status_code=303, opt={ACTION: "user.changed"})
async def change_user(request: Request[User, Any, Any], services: ServicesDep, name: FromPath[str]) -> Redirect:
    """Set role and rights, and a new password where one is given. It holds for open sessions too."""
    require_administrator(request)
    form = await request.form()
    role, personal, queues = _rights(form)
    password = str(form.get("password", "")) or None
    try:
        await services.users.change(name, role=role, personal=personal, queues=queues, password=password)
    except BadUser as error:
        raise ClientException(str(error)) from None
    except NoSuchUser as error:
        raise NotFoundException(str(error)) from None
    audit_detail(request, f"{_words(role, personal, queues)}{'; a new password' if password else ''}")
    return Redirect("/admin/users?notice=user-changed", status_code=303)


@post("/users/{name:str}/remove", status_code=303, opt={ACTION: "user.removed"})
async def remove_user(request: Request[User, Any, Any], services: ServicesDep, name: FromPath[str]) -> Redirect:
    """The user's sessions end with it."""
    require_administrator(request)
    try:
        await services.users.remove(name)
    except NoSuchUser as error:
        raise NotFoundException(str(error)) from None
    return Redirect("/admin/users?notice=user-removed", status_code=303)


@post("/users/sessions/{session:str}/end", status_code=303, opt={ACTION: "session.ended"})
async def end_session(request: Request[User, Any, Any], services: ServicesDep, session: FromPath[str]) -> Redirect:
    """By the digest of its cookie, which opens nothing."""
    require_administrator(request)
    ended = await services.sessions.end(session)
    if ended is None:
        raise NotFoundException("This session has ended already.")
    audit_detail(request, f"of {ended.name}")
    return Redirect("/admin/users?notice=session-ended", status_code=303)


@post("/users/{name:str}/sign-out", status_code=303, opt={ACTION: "session.ended"})
async def end_sessions(request: Request[User, Any, Any], services: ServicesDep, name: FromPath[str]) -> Redirect:
    """End all sessions of a user, wherever the name comes from."""
    require_administrator(request)
    ended = await services.sessions.end_all(name)
    if not ended:
        raise NotFoundException(f"{name[:255]} has no open session.")
    audit_detail(request, f"{ended} sessions")
    return Redirect("/admin/users?notice=session-ended", status_code=303)


def _rights(form: Any) -> tuple[Role, bool, list[str]]:
    """Role, right to personal data, and queues, as a form sends them. Raises ClientException (400)."""
    given = str(form.get("role", ""))
    if given not in list(Role):
        raise ClientException(f"role must be one of {', '.join(Role)}.")
    return Role(given), form.get("personal") == "on", [str(one) for one in form.getall("queue", [])]


def _words(role: Role, personal: bool, queues: list[str]) -> str:
    where = f" of {', '.join(queues)}" if queues else ""
    return f"{role}{where}, {'sees' if personal else 'sees no'} personal data"
