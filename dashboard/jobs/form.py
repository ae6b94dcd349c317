"""The form that starts a job: shown, and what was filled in, turned into a job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.response import Template

from dashboard import csrf
from dashboard.auth import User
from dashboard.jobs.fields import FILE_FIELDS, Field, fields_of, takes_file, to_request
from dashboard.jobs.query_lines import hints
from dashboard.owner_choices import OWNER, owners
from dashboard.rendering import render
from service.api.errors import BadRequest
from service.api.schemas import FieldError
from service.api.strict_json import decode_body
from service.api.upload_form import UploadForm, open_upload_form
from service.engine.store import Job
from service.services import Services
from service.submission import payload_of, request_type, submit, terms_of
from tasks.sdk.errors import Refused
from tasks.sdk.types import REGISTRY, JobType, Payload


@dataclass(frozen=True)
class Started:
    """A job that a form has started."""

    job_id: str
    owner: str
    payload: Payload


def offered() -> list[JobType]:
    """The job types that can be started by hand."""
    return [job_type for job_type in REGISTRY.values() if job_type.public]


def show_form(
    request: Request[User, Any, Any],
    services: Services,
    job_type: JobType,
    typed: Mapping[str, str],
    wrong: Sequence[FieldError] = (),
    *,
    origin: Job | None = None,
    status_code: int = 200,
) -> Template:
    """The form with what is typed in it and each wrong field named. `origin` is the job that it was filled from."""
    fields = fields_of(job_type)
    names = {field.name for field in fields}
    return render(
        request,
        "jobs/new.html",
        status_code=status_code,
        job_type=job_type,
        offered=offered(),
        fields=fields,
        file_field=takes_file(fields),
        typed=typed,
        hints=hints() if any(field.kind == "object" for field in fields) else {},
        owners=_owners(request, services, origin),
        owner_field=OWNER,
        origin=origin,
        wrong={error.field.partition("[")[0]: error.message for error in wrong},
        elsewhere=[error.message for error in wrong if error.field.partition("[")[0] not in names],
    )


async def start(
    request: Request[User, Any, Any], services: Services, job_type: JobType, origin: Job | None = None
) -> Started | Template:
    """Queue what the form asks for, or the form again with each wrong field named and nothing lost.

    A file is read as it arrives, and `DocumentStore.upload` bounds it; `open_upload_form` bounds the fields before it.
    """
    form = await open_upload_form(request.headers, request.stream())
    csrf.require_token(request, form.fields.get(csrf.FIELD))
    owner = form.fields.get(OWNER, request.user.owner)
    fields, typed = fields_of(job_type), dict(form.fields)
    try:
        if owner not in _owners(request, services, origin):
            raise Refused(f"There is no owner {owner[:80]}.", field=OWNER)
        await _take_file(services, form, fields, typed, owner)
        submitted: Any = decode_body(to_request(fields, typed), request_type(job_type))
        payload = payload_of(job_type, submitted)
        accepted = await submit(
            services,
            job_type,
            payload,
            owner=owner,
            priority=submitted.priority,
            terms=terms_of(submitted),
            origin=origin.id if origin else None,
        )
    except BadRequest as error:
        return show_form(request, services, job_type, typed, error.errors, origin=origin, status_code=400)
    except Refused as refused:
        wrong = [FieldError(refused.field, str(refused))]
        return show_form(request, services, job_type, typed, wrong, origin=origin, status_code=refused.status_code)
    return Started(accepted.job_id, owner, payload)


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


def _owners(request: Request[User, Any, Any], services: Services, origin: Job | None) -> list[str]:
    """For whom an operator may start a job: those for whom it may make anything, and the owner of the job it is made from."""
    found = owners(request, services)
    return found if origin is None or origin.owner in found else [*found, origin.owner]
