"""/admin/jobs/{id}/status-link: a link for the person who waits for a job, to be copied or mailed."""

import time
from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import PERSONAL, User, require_operator
from dashboard.queue_rights import require_queue
from dashboard.rendering import render
from dashboard.status_link.texts import MESSAGE
from service.api.dependencies import ServicesDep
from service.engine.store import Job
from service.lib.languages import LANGUAGES, current_language, translated
from service.lib.tickets import page_path
from service.services import Services
from service.submission import submit
from tasks.mail.addresses import BadAddress, deliverable
from tasks.mail_link import MailLink, mail_link
from tasks.sdk.errors import Refused

HOURS = {"24": "a day", "72": "3 days", "168": "a week"}
"""Hours for which a link may hold: a week is as long as a completed job keeps its files, unless its queue is set otherwise."""

HOURS_DEFAULT = "72"

SUBJECT_MAX = 200
TEXT_MAX = 5_000
"""Characters of a message: a few sentences."""


@dataclass(frozen=True)
class Typed:
    """Fields of the two forms as they were sent, or as they begin."""

    hours: str
    recipient: str
    subject: str
    text: str


@get("/jobs/{job_id:str}/status-link", name="status-link", opt={PERSONAL: True})
async def status_link_page(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str], lang: FromQuery[str] = ""
) -> Template:
    """The question for how long, and a message in the language `lang`. Nothing is issued by looking. Raises NoSuchJob."""
    require_operator(request)
    await require_queue(request)
    job = await services.store.present(job_id)
    return _page(request, services, job, _begun(_language(lang)), lang=_language(lang))


@post("/jobs/{job_id:str}/status-link", status_code=200, opt={ACTION: "status-link.issued", PERSONAL: True})
async def issue_status_link(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Template:
    """A link that shows the job's progress and results without a login. Raises NoSuchJob, Refused."""
    job = await services.store.present(job_id)
    hours = _hours(data)
    audit_detail(request, f"for {HOURS[str(hours)]}")
    url = (services.settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}").rstrip("/")
    link = url + page_path(services.tickets.issue(job.id, int(time.time()) + hours * 3_600))
    lang = _language(data.get("lang", ""))
    typed = _begun(lang, hours=str(hours))
    return _page(request, services, job, typed, lang=lang, link=link)


@post("/jobs/{job_id:str}/status-link/mail", status_code=303, opt={ACTION: "status-link.mailed", PERSONAL: True})
async def mail_status_link(
    request: Request[User, Any, Any], services: ServicesDep, job_id: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Redirect | Template:
    """Queue a message with a link of its own. What is refused comes back with all that was typed. Raises NoSuchJob."""
    job = await services.store.present(job_id)
    typed = Typed(*(data.get(name, "").strip() for name in ("hours", "recipient", "subject", "text")))
    try:
        payload = _message(services, job, typed, _hours(data))
        accepted = await submit(services, mail_link, payload, owner=job.owner)
    except Refused as error:
        audit_detail(request, error.field)
        lang = _language(data.get("lang", ""))
        return _page(request, services, job, typed, lang=lang, refusal=str(error), status_code=error.status_code)
    # Without the address, which is in the job's payload, for those who may see it.
    audit_detail(request, f"for {HOURS[str(payload.hours)]}, by {accepted.job_id}")
    return Redirect(f"/admin/jobs/{accepted.job_id}?notice=link-mailed", status_code=303)


def _message(services: Services, job: Job, typed: Typed, hours: int) -> MailLink:
    """Raises Refused, naming the field."""
    if services.settings.smtp_url is None:
        raise Refused(
            "No mail server is configured: copy the link instead, or set OFFLOAD_SMTP_URL.", field="recipient"
        )
    try:
        recipient = deliverable(typed.recipient)
    except BadAddress as error:
        raise Refused(f"The recipient is {error}.", field="recipient") from None
    if not typed.subject or len(typed.subject) > SUBJECT_MAX:
        raise Refused(f"A subject has 1 to {SUBJECT_MAX} characters.", field="subject")
    if len(typed.text) > TEXT_MAX:
        raise Refused(f"The text has {TEXT_MAX:,} characters at most.", field="text")
    return MailLink(
        recipient=recipient, subject=typed.subject, text=typed.text.replace("\r\n", "\n"), job_id=job.id, hours=hours
    )


def _hours(data: dict[str, str]) -> int:
    wanted = data.get("hours", HOURS_DEFAULT)
    if wanted not in HOURS:
        raise Refused(f"A link holds for {', '.join(HOURS)} hours, not {wanted[:20]}.", field="hours")
    return int(wanted)


def _language(wanted: str) -> str:
    return wanted if wanted in LANGUAGES else current_language()


def _begun(language: str, hours: str = HOURS_DEFAULT) -> Typed:
    texts = translated(MESSAGE, language)
    return Typed(hours, "", texts["subject"], texts["text"])


def _page(
    request: Request[User, Any, Any],
    services: Services,
    job: Job,
    typed: Typed,
    *,
    lang: str,
    link: str = "",
    refusal: str = "",
    status_code: int = 200,
) -> Template:
    return render(
        request,
        "status_link/telling.html",
        status_code=status_code,
        job=job,
        typed=typed,
        link=link,
        lang=lang,
        refusal=refusal,
        hours=HOURS,
        subject_max=SUBJECT_MAX,
        text_max=TEXT_MAX,
        mails=services.settings.smtp_url is not None,
        local="" if services.settings.public_url else services.settings.links_url,
    )
