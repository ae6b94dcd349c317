"""/api/templates: an owner's templates, each refused with the line and the reason unless it works."""

from typing import Annotated

import msgspec
from litestar import Router, delete, get, post, put
from litestar.params import FromPath, JSONBody

from service.api.audit_middleware import AUDIT, NOTHING
from service.api.auth import require_personal
from service.api.dependencies import CallerDep, Owner, ServicesDep
from service.api.errors import BadRequest
from service.api.openapi import refusals
from service.api.schemas import FieldError
from service.api.strict_json import StrictJson
from service.database import Template, User
from service.engine.job_status import rfc3339
from service.mail.templates import TemplateRows
from service.mail.unsubscribe import PATH
from service.services import Services
from tasks.mail.render import Checked, Letter, check, render
from tasks.mail.template import USER_FIELDS, Problem, Source
from tasks.sdk.errors import MemoryCeiling, Refused

CHECK_TIMEOUT_S = 10.0
"""For what takes milliseconds, unless the template is up to something."""

BODY_MAX_BYTES = 4 << 20
"""Room for three fields of half a million characters."""

SAMPLE = Letter(
    position=1,
    address="ada@example.com",
    user={"id": 1, "name": "Ada Lovelace", "email": "ada@example.com", "locale": "en", "plan": "free"},
    message_id="<sample@example.com>",
    unsubscribe_url="https://example.com/unsubscribe/sample",
)
"""Sample recipient of a new template."""


class TemplateRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A template: `{{ user.name }}`, `{{ user.email }}` and the other fields of the recipient, and `{{ unsubscribe_url }}`."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    subject: str
    html: str
    text: str


class TemplateBody(msgspec.Struct):
    """A template as it is kept."""

    template_id: str
    name: str
    subject: str
    html: str
    text: str
    created_at: str | None
    updated_at: str | None


class TemplateList(msgspec.Struct):
    """An owner's templates, newest first."""

    templates: list[TemplateBody]


class PreviewRequest(msgspec.Struct, forbid_unknown_fields=True):
    """For whom."""

    user_id: int


class PreviewBody(msgspec.Struct):
    """The message that the user would get. The HTML has its styles inlined."""

    subject: str
    html: str
    text: str


@post(
    "/",
    opt={AUDIT: "template.created"},
    dto=StrictJson,
    return_dto=None,
    request_max_body_size=BODY_MAX_BYTES,
    responses=refusals(400, 413),
    summary="Make a template",
)
async def create_template(data: JSONBody[TemplateRequest], services: ServicesDep, owner: Owner) -> TemplateBody:
    source = await working(services, data)
    return template_body(await TemplateRows(services.database).create(owner, data.name, source))


@get("/", responses=refusals(), summary="All templates")
async def list_templates(services: ServicesDep, owner: Owner) -> TemplateList:
    return TemplateList([template_body(row) for row in await TemplateRows(services.database).list(owner)])


@get("/{template_id:str}", responses=refusals(404), summary="One template")
async def read_template(template_id: FromPath[str], services: ServicesDep, owner: Owner) -> TemplateBody:
    return template_body(await TemplateRows(services.database).get(template_id, owner))


@put(
    "/{template_id:str}",
    opt={AUDIT: "template.changed"},
    dto=StrictJson,
    return_dto=None,
    request_max_body_size=BODY_MAX_BYTES,
    responses=refusals(400, 404, 413),
    summary="Replace a template",
)
async def replace_template(
    template_id: FromPath[str],
    data: JSONBody[TemplateRequest],
    services: ServicesDep,
    owner: Owner,
) -> TemplateBody:
    source = await working(services, data)
    return template_body(await TemplateRows(services.database).replace(template_id, owner, data.name, source))


@delete("/{template_id:str}", opt={AUDIT: "template.deleted"}, responses=refusals(404), summary="Delete a template")
async def delete_template(template_id: FromPath[str], services: ServicesDep, owner: Owner) -> None:
    await TemplateRows(services.database).delete(template_id, owner)


@post(
    "/{template_id:str}/preview",
    opt={AUDIT: NOTHING},
    dto=StrictJson,
    return_dto=None,
    status_code=200,
    responses=refusals(400, 404),
    summary="What one user would get",
)
async def preview_template(
    template_id: FromPath[str],
    data: JSONBody[PreviewRequest],
    services: ServicesDep,
    caller: CallerDep,
) -> PreviewBody:
    """With this user's name and address, so for a key with the scope personal; the unsubscribe link in it is a sample."""
    require_personal(caller)
    row = await TemplateRows(services.database).get(template_id, caller.owner)
    return await preview(services, row, data.user_id)


async def preview(services: Services, template: Template, user_id: int | None) -> PreviewBody:
    """A template filled in for one user, or for a made-up one.

    Raises Refused: 404 for an unknown user, 400 where the template cannot be filled in.
    """
    letter = SAMPLE if user_id is None else await _letter_to(services, user_id)
    source = Source(template.subject, template.html, template.text)
    try:
        rendered = await services.pool.run(render, source, letter, timeout_s=CHECK_TIMEOUT_S)
    except TimeoutError:
        raise Refused("The template takes too long to fill in.", field="template_id") from None
    except MemoryCeiling:
        raise Refused("The template takes too much memory to fill in.", field="template_id") from None
    if isinstance(rendered, Problem):
        raise Refused(rendered.sentence, field=rendered.field)
    return PreviewBody(rendered.subject, rendered.html, rendered.text)


async def _letter_to(services: Services, user_id: int) -> Letter:
    async with services.database.reading() as session:
        user = await session.get(User, user_id) if 0 <= user_id < 2**63 else None
    if user is None:
        raise Refused(f"There is no user {user_id}.", field="user_id", status_code=404)
    return Letter(
        position=1,
        address=user.email,
        user={name: getattr(user, name) for name in USER_FIELDS},
        message_id=SAMPLE.message_id,
        # A working link would unsubscribe the user for anyone who sees the preview.
        unsubscribe_url=f"{services.settings.links_url}{PATH}/sample",
    )


async def working(services: Services, data: TemplateRequest) -> Source:
    """The texts, once they have been compiled and tried on a sample. Raises BadRequest with every problem found."""
    source = Source(data.subject, data.html, data.text)
    try:
        found = await services.pool.run(check, source, [SAMPLE], services.settings.mail_from, timeout_s=CHECK_TIMEOUT_S)
    except TimeoutError:
        raise BadRequest(FieldError("html", "The template takes too long to fill in.")) from None
    except MemoryCeiling:
        raise BadRequest(FieldError("html", "The template takes too much memory to fill in.")) from None
    if not isinstance(found, Checked):
        raise BadRequest(*(FieldError(problem.field, problem.sentence) for problem in found))
    return source


def template_body(row: Template) -> TemplateBody:
    return TemplateBody(
        template_id=row.template_id,
        name=row.name,
        subject=row.subject,
        html=row.html,
        text=row.text,
        created_at=rfc3339(round(row.created_at.timestamp() * 1000)),
        updated_at=rfc3339(round(row.updated_at.timestamp() * 1000)),
    )


routes = Router(
    "/templates",
    route_handlers=[
        create_template, list_templates, read_template, replace_template, delete_template, preview_template,
    ],
    tags=["templates"],
)  # fmt: skip
