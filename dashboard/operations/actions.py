"""POST: begin an action on many jobs, abort it, and take it back."""

from typing import Any

from litestar import Request, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from dashboard.operations.selection import chosen_ids, kind_of, resolved, selection_of, words
from dashboard.undo import remember_operation
from service.api.dependencies import ServicesDep


@post("/operations", status_code=303, opt={ACTION: "operation.begun"})
async def begin_operation(
    request: Request[User, Any, Any], services: ServicesDep, data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """Freezes the selection at this moment: what arrives later is not in it."""
    kind = kind_of(data.get("kind", ""))
    selection = selection_of(data)
    operation = await services.store.operations.begin(
        kind, await resolved(services, selection), words=words(kind, selection), by=request.user.name
    )
    audit_detail(
        request, f"{operation.id}: {kind} {operation.words}, {operation.total:,} in all{chosen_ids(selection)}"
    )
    return Redirect(
        f"/admin/operations/{operation.id}", status_code=303, cookies=remember_operation(request, operation.id)
    )


@post("/operations/{operation_id:str}/undo", status_code=303, opt={ACTION: "operation.undone"})
async def undo_operation(
    request: Request[User, Any, Any], services: ServicesDep, operation_id: FromPath[str]
) -> Redirect:
    """Restore what an operation has deleted, or queue again what it has cancelled while it waited."""
    undoing = await services.store.operations.undo(operation_id, by=request.user.name)
    audit_detail(request, f"{undoing.id}: {undoing.kind} {undoing.words}, {undoing.total:,} in all")
    return Redirect(f"/admin/operations/{undoing.id}", status_code=303)


@post("/operations/{operation_id:str}/abort", status_code=303, opt={ACTION: "operation.aborted"})
async def abort_operation(services: ServicesDep, operation_id: FromPath[str]) -> Redirect:
    await services.store.operations.abort(operation_id)
    return Redirect(f"/admin/operations/{operation_id}", status_code=303)
