"""/admin/jobs/new: a form for each public job type, made from its declaration."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from dashboard import csrf
from dashboard.audited import ACTION, note
from dashboard.auth import User
from dashboard.jobs.fields import FILE_FIELDS, Field, fields_of, takes_file, to_request
from dashboard.page import render
from service.api.bodies import decode_body
from service.api.errors import BadRequest
from service.api.injected import Wired
from service.api.shapes import FieldError
from service.files.form import UploadForm, open_upload_form
from service.services import Services
from service.submission import payload_of, request_type, submit
from tasks.job import REGISTRY, JobType, Refused

OWNER = "as_owner"
"""Form field: for whom the job is. It has a name that no payload has."""


@get("/jobs/new", name="new-job")
async def new_job_page(request: Request[User, Any, Any], services: Wired, type: FromQuery[str] = "") -> Template:
    job_type = _known(type) if type else _offered()[0]
    typed = {field.name: field.default for field in fields_of(job_type)}
    return _form(request, services, job_type, typed, [], 200)


@post(
    "/jobs/new/{type:str}",
    status_code=303,
    request_max_body_size=None,
    opt={csrf.CHECKED_BY_HANDLER: True, ACTION: "job.submitted"},
)
async def submit_job(request: Request[User, Any, Any], services: Wired, type: FromPath[str]) -> Redirect | Template:
    """Queue what the form asks for, or show it again with each wrong field named and nothing lost.

    A file is read as it arrives, and `FileStore.upload` bounds it; `open_upload_form` bounds the fields before it.
    """
    job_type = _known(type)
    form = await open_upload_form(request.headers, request.stream())
    csrf.require_token(request, form.fields.get(csrf.FIELD))
    owner = form.fields.get(OWNER, request.user.owner)
    typed = dict(form.fields)
    try:
        if owner not in _owners(request, services):
            raise Refused(f"There is no owner {owner[:80]}.", field=OWNER)
        await _take_file(services, form, fields_of(job_type), typed, owner)
        asked: Any = decode_body(to_request(fields_of(job_type), typed), request_type(job_type))
        payload = payload_of(job_type, asked)
        accepted = await submit(
            services, job_type, payload, owner=owner, priority=asked.priority, schedule_at=asked.schedule_at
        )
    except BadRequest as error:
        return _form(request, services, job_type, typed, error.errors, 400)
    except Refused as refused:
        wrong = [FieldError(refused.field, str(refused))]
        return _form(request, services, job_type, typed, wrong, refused.status_code)
    note(request, f"{accepted.job_id} for {owner}")
    return Redirect(f"/admin/jobs/{accepted.job_id}?notice=submitted", status_code=303)


async def _take_file(
    services: Services, form: UploadForm, fields: list[Field], typed: dict[str, str], owner: str
) -> None:
    """Keep the form's file, if it has one, and name it in the field it stands for."""
    field = takes_file(fields)
    if field is None or not form.name:
        async for _ in form.chunks():
            pass
        return
    document = await services.files.upload(form.chunks(), owner=owner, name=form.name)
    given = typed.get(field.name, "").strip()
    typed[field.name] = f"{given}, {document.file_id}" if given and FILE_FIELDS[field.name] else document.file_id


def _form(
    request: Request[User, Any, Any],
    services: Services,
    job_type: JobType,
    typed: Mapping[str, str],
    wrong: Sequence[FieldError],
    status_code: int,
) -> Template:
    fields = fields_of(job_type)
    names = {field.name for field in fields}
    return render(
        request,
        "jobs/new.html",
        status_code=status_code,
        job_type=job_type,
        offered=_offered(),
        fields=fields,
        file_field=takes_file(fields),
        typed=typed,
        owners=_owners(request, services),
        owner_field=OWNER,
        wrong={error.field.partition("[")[0]: error.message for error in wrong},
        elsewhere=[error.message for error in wrong if error.field.partition("[")[0] not in names],
    )


def _offered() -> list[JobType]:
    return [job_type for job_type in REGISTRY.values() if job_type.public]


def _known(name: str) -> JobType:
    job_type = REGISTRY.get(name)
    if job_type is None or not job_type.public:
        raise NotFoundException(f"There is no job type {name[:80]} to start.")
    return job_type


def _owners(request: Request[User, Any, Any], services: Services) -> list[str]:
    """For whom an operator may start a job: itself, or the owner of a key."""
    return [request.user.owner, *sorted(set(services.settings.api_keys.values()))]
