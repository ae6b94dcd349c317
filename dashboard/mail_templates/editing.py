"""The form for a template: made new, changed, removed. One that does not work is shown again, with line and reason."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User, require_operator
from dashboard.owner_choices import OWNER, owners
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.api.errors import BadRequest
from service.api.schemas import FieldError
from service.api.strict_json import decode_body
from service.api.templates import BODY_MAX_BYTES, TemplateRequest, working
from service.database import Template as TemplateRow
from service.mail.templates import TemplateRows
from service.services import Services

FIELDS = TemplateRequest.__struct_fields__


@get("/templates/new", name="new-template")
async def new_template(request: Request[User, Any, Any], services: ServicesDep) -> Template:
    require_operator(request)
    return _form(request, services, None, dict.fromkeys(FIELDS, ""))


@post("/templates", status_code=303, request_max_body_size=BODY_MAX_BYTES, opt={ACTION: "template.created"})
async def create_template(request: Request[User, Any, Any], services: ServicesDep) -> Redirect | Template:
    typed = await _typed(request)
    owner = typed.get(OWNER, request.user.owner)
    audit_detail(request, f"{typed['name'][:80]} for {owner[:80]}")
    try:
        if owner not in owners(request, services):
            raise BadRequest(FieldError(OWNER, f"There is no owner {owner[:80]}."))
        wanted = _request(typed)
        source = await working(services, wanted)
    except BadRequest as error:
        return _form(request, services, None, typed, error.errors)
    made = await TemplateRows(services.database).create(owner, wanted.name, source)
    audit_detail(request, f"{made.template_id} {made.name} for {owner}")
    return Redirect(f"/admin/templates/{made.template_id}?notice=created", status_code=303)


@get("/templates/{template_id:str}/edit", name="edit-template")
async def edit_template(
    request: Request[User, Any, Any], services: ServicesDep, template_id: FromPath[str]
) -> Template:
    require_operator(request)
    row = await TemplateRows(services.database).of_anybody(template_id)
    return _form(request, services, row, {name: getattr(row, name) for name in FIELDS})


@post(
    "/templates/{template_id:str}/edit",
    status_code=303,
    request_max_body_size=BODY_MAX_BYTES,
    opt={ACTION: "template.changed"},
)
async def save_template(
    request: Request[User, Any, Any], services: ServicesDep, template_id: FromPath[str]
) -> Redirect | Template:
    rows = TemplateRows(services.database)
    row = await rows.of_anybody(template_id)
    typed = await _typed(request)
    audit_detail(request, f"{typed['name'][:80]} of {row.owner}")
    try:
        wanted = _request(typed)
        source = await working(services, wanted)
    except BadRequest as error:
        return _form(request, services, row, typed, error.errors)
    await rows.replace(template_id, row.owner, wanted.name, source)
    return Redirect(f"/admin/templates/{template_id}?notice=saved", status_code=303)


@post("/templates/{template_id:str}/delete", status_code=303, opt={ACTION: "template.deleted"})
async def delete_template(
    request: Request[User, Any, Any], services: ServicesDep, template_id: FromPath[str]
) -> Redirect:
    rows = TemplateRows(services.database)
    row = await rows.of_anybody(template_id)
    await rows.delete(template_id, row.owner)
    audit_detail(request, f"{row.name} of {row.owner}")
    return Redirect("/admin/templates?notice=deleted", status_code=303)


async def _typed(request: Request[User, Any, Any]) -> dict[str, str]:
    """The form's fields. Browsers end the lines of a text area in CRLF; templates have LF, as the API is sent them."""
    form = await request.form()
    given = {name: str(value).replace("\r\n", "\n") for name, value in form.items()}
    return dict.fromkeys(FIELDS, "") | given


def _request(typed: Mapping[str, str]) -> TemplateRequest:
    """Body that a client would have sent. Raises BadRequest."""
    return decode_body(msgspec.json.encode({name: typed[name] for name in FIELDS}), TemplateRequest)


def _form(
    request: Request[User, Any, Any],
    services: Services,
    row: TemplateRow | None,
    typed: Mapping[str, str],
    wrong: Sequence[FieldError] = (),
) -> Template:
    """The form for a new template or for the one of that row, with what was typed and what is wrong with it."""
    return render(
        request,
        "mail_templates/form.html",
        status_code=400 if wrong else 200,
        stored=row,
        typed=typed,
        wrong=wrong,
        wrong_fields={error.field for error in wrong},
        owners=owners(request, services),
        owner_field=OWNER,
    )
