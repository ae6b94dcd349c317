"""POST: save, rename and delete a view, and open the jobs page with it. Viewers have views of their own; shared ones are
operators'."""

from dataclasses import replace
from typing import Any

from litestar import Request, post
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.csrf import FOR_VIEWERS
from dashboard.jobs.filters import from_address
from dashboard.jobs.searching import require_readable
from dashboard.saved_views.links import address_of, text_of
from dashboard.saved_views.views import shown
from service.api.dependencies import ServicesDep
from service.database.saved_views import SHARED, BadView, SavedView, SavedViews
from service.engine.job_query import as_text, parse
from service.engine.job_query.keys import personal_keys
from service.services import Services
from tasks.sdk.errors import Refused


@post("/views", status_code=303, opt={ACTION: "view.saved", FOR_VIEWERS: True})
async def save_view(
    request: Request[User, Any, Any], services: ServicesDep, data: URLEncodedBody[dict[str, str]]
) -> Redirect | Template:
    """400 with the form as it was typed where it cannot be saved."""
    chosen, shared = from_address(data), bool(data.get("view-shared"))
    require_readable(chosen, request.user)
    if shared:
        _require_sharing(request.user)
    try:
        if chosen.left_out:
            raise BadView(chosen.left_out[0])
        view = await SavedViews(services.database).save(
            # A dash, which no search key has: one may be called `name`, and would be a part of the filter.
            data.get("view-name", ""),
            text_of(chosen),
            user=SHARED if shared else request.user.name,
            by=request.user.name,
        )
    except BadView as error:
        return await shown(request, services, chosen, typed=data, wrong=str(error), status_code=400)
    audit_detail(request, _detail(view))
    return Redirect(address_of(view), status_code=303)


@post("/views/{view_id:str}/rename", status_code=303, opt={ACTION: "view.renamed", FOR_VIEWERS: True})
async def rename_view(
    request: Request[User, Any, Any],
    services: ServicesDep,
    view_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
) -> Redirect:
    view = await _changeable(request, services, view_id)
    try:
        name = await SavedViews(services.database).rename(view, data.get("name", ""))
    except BadView as error:
        raise Refused(str(error), field="name") from None
    audit_detail(request, f"{_detail(view)}, now {name}")
    return Redirect("/admin/views?notice=view-renamed", status_code=303)


@post("/views/{view_id:str}/delete", status_code=303, opt={ACTION: "view.deleted", FOR_VIEWERS: True})
async def delete_view(request: Request[User, Any, Any], services: ServicesDep, view_id: FromPath[str]) -> Redirect:
    view = await _changeable(request, services, view_id)
    await SavedViews(services.database).delete(view)
    audit_detail(request, _detail(view))
    return Redirect("/admin/views?notice=view-deleted", status_code=303)


@post("/views/{view_id:str}/default", status_code=303, opt={ACTION: "view.made_default", FOR_VIEWERS: True})
async def make_view_default(
    request: Request[User, Any, Any],
    services: ServicesDep,
    view_id: FromPath[str],
    data: URLEncodedBody[dict[str, str]],
) -> Redirect:
    """Open this user's jobs page with a view, or, with `off`, with all jobs."""
    views = SavedViews(services.database)
    view = await views.get(view_id, request.user.name)
    off = bool(data.get("off"))
    await views.make_default(request.user.name, None if off else view)
    audit_detail(request, f"{_detail(view)}{', no longer' if off else ''}")
    return Redirect(f"/admin/views?notice=view-default{'-off' if off else ''}", status_code=303)


async def _changeable(request: Request[User, Any, Any], services: Services, view_id: str) -> SavedView:
    """The view. Raises NoSuchView, and PermissionDeniedException for a viewer and a shared one."""
    view = await SavedViews(services.database).get(view_id, request.user.name)
    if view.shared:
        _require_sharing(request.user)
    return view


def _require_sharing(user: User) -> None:
    if not user.may_act:
        raise PermissionDeniedException(
            f"{user.name} is a viewer: only an operator shares views and changes shared ones."
        )


def _detail(view: SavedView) -> str:
    """The view for the audit log, which viewers read: without what a filter says of personal data."""
    terms = [replace(one, values=("…",)) if one.key in personal_keys() else one for one in parse(view.filter).terms]
    return f"{'shared ' if view.shared else ''}view {view.name}: {as_text(terms)}"
