"""GET /admin/documents/{id}/pages/{n}: a page's picture with its words over it, and next to it the text to be corrected."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.response import Template

from dashboard.auth import PERSONAL, User
from dashboard.corrections.form import Outcome
from dashboard.corrections.sheet import sheet_of
from dashboard.corrections.texts import PAGE_TEXTS
from dashboard.flash_messages import NOTICES
from dashboard.list_urls import given, list_address
from dashboard.previews.page_images import drawn_page
from dashboard.rendering import HTMX_STOP_POLLING, render
from service.api.dependencies import ServicesDep
from service.api.image_responses import picture_response
from service.documents.corrections.doubtful import FILTERS, DoubtfulFilter, count_doubtful
from service.lib.languages import current_language, translated
from service.services import Services
from tasks.images.pages import SIDE

QUEUE_FIELDS = (*(name for name in FILTERS if name != "file_id"), "queue")
"""Parameters that a page keeps of the queue that it was opened from."""

FRAGMENT = "x-fragment"
"""Header of a request for the part of a page that changes (static/correct.js)."""

TURNS = (0, 90, 180, 270)


@get("/documents/{file_id:str}/pages/{number:int}", name="document-page", opt={PERSONAL: True})
async def document_page_view(
    request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str], number: FromPath[int]
) -> Template:
    """The whole page. Raises NoSuchFile, Refused."""
    document = await services.files.describe(file_id)
    return await page_template(request, services, Outcome(await services.corrections.readings.page(document, number)))


@get("/documents/{file_id:str}/pages/{number:int}/live", opt={PERSONAL: True})
async def document_page_live(
    request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str], number: FromPath[int]
) -> Template:
    """Progress of another reading of the page; its end has the browser load the page again."""
    document = await services.files.describe(file_id)
    page = await services.corrections.readings.page(document, number)
    texts, base = translated(PAGE_TEXTS, current_language()), address(file_id, number)
    template = render(request, "corrections/rereading.html", job=page.rereading, base=base, texts=texts)
    if page.rereading is None:
        template.status_code = HTMX_STOP_POLLING
        template.headers = {**(template.headers or {}), "HX-Refresh": "true"}
    return template


@get("/documents/{file_id:str}/pages/{number:int}/picture", opt={PERSONAL: True})
async def document_page_picture(
    request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str], number: FromPath[int]
) -> Response[Any]:
    """The page's picture, turned by the degrees of `turn`. Raises NoSuchFile, Refused."""
    document = await services.files.describe(file_id)
    page = await services.corrections.readings.page(document, number)
    return await turned_picture(request, services, page)


async def turned_picture(request: Request[Any, Any, Any], services: Services, page: Any) -> Response[Any]:
    """The picture of a page, as its reading turned it, or as `turn` in the address asks."""
    wanted = request.query_params.get("turn", "")
    turn = int(wanted) if wanted in map(str, TURNS) else page.read.rotation if page.read else 0
    picture = await drawn_page(services, page.job, page.number, turn)
    return picture_response(request, picture, "image/webp", f"{page.job.id}-{SIDE}-{page.number}-{turn}")


async def page_template(request: Request[User, Any, Any], services: Services, outcome: Outcome) -> Template:
    """The page, or the part of it that changes."""
    page = outcome.page
    queue = given(request.query_params, QUEUE_FIELDS)
    wanted = DoubtfulFilter(**{name: text for name, text in queue.items() if name != "queue"})
    base = address(page.document.file_id, page.number)
    turn = page.read.rotation if page.read else 0
    context = {
        "sheet": sheet_of(page, outcome.typed),
        "outcome": outcome,
        "texts": translated(PAGE_TEXTS, current_language()),
        "base": base,
        "action": list_address(f"{base}/correct", queue),
        "picture": f"{base}/picture?turn={turn}",
        "next": list_address(f"{base}/next", queue),
        "turns": [(turn + step) % 360 for step in (90, 180, 270)],
        "left": await count_doubtful(services.database, wanted),
        "queue": list_address("/admin/doubtful", {name: text for name, text in queue.items() if name != "queue"}),
        "editable": request.user.may_act,
        "notice": NOTICES.get(request.query_params.get("notice", "")),
        "document": page.document,
        "language": "en",
        "tell": f"/admin/jobs/{page.job.id}/status-link" if request.user.may_act_in(page.job.queue) else "",
    }
    name = "corrections/part.html" if FRAGMENT in request.headers else "corrections/show.html"
    return render(request, name, status_code=outcome.status_code, **context)


def address(file_id: str, number: int) -> str:
    """Address of a page."""
    return f"/admin/documents/{file_id}/pages/{number}"
