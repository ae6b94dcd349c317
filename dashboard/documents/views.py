"""GET /admin/documents: the list, and the fragment that refreshes its rows while pictures are being made."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.exceptions import ClientException
from litestar.params import FromQuery
from litestar.response import Template

from dashboard.auth import PERSONAL_QUERY, User
from dashboard.documents.rows import SCAN_WORDS, Row, rows_named, rows_of
from dashboard.flash_messages import NOTICES
from dashboard.list_urls import given, list_address
from dashboard.rendering import HTMX_STOP_POLLING, render
from service.api.dependencies import ServicesDep
from service.documents.listing import KINDS, DocumentFilter, list_documents

PATH = "/admin/documents"

PAGE_ROWS = 25
"""Pictures make a page long: half as many rows as a list of jobs has."""

FIELDS = ("name", "owner", "kind", "scan")


@get("/documents", name="documents", opt={PERSONAL_QUERY: ("name",)})
async def documents_page(
    request: Request[User, Any, Any], services: ServicesDep, cursor: FromQuery[str] = "", notice: FromQuery[str] = ""
) -> Template:
    """One page of documents. Unknown parameters are passed over."""
    wanted = given(request.query_params, FIELDS)
    try:
        page = await list_documents(services.database, DocumentFilter(**wanted), limit=PAGE_ROWS, cursor=cursor or None)
    except ValueError as error:
        raise ClientException(str(error)) from None
    return render(
        request,
        "documents/page.html",
        **listing(await rows_of(services, page.documents), list_address(PATH, wanted | {"cursor": cursor})),
        given=wanted,
        kinds=KINDS,
        scans=SCAN_WORDS,
        cursor=cursor,
        newest=list_address(PATH, wanted),
        older=list_address(PATH, wanted | {"cursor": page.next_cursor}) if page.next_cursor else None,
        notice=NOTICES.get(notice),
    )


@get("/documents/live")
async def documents_live(
    request: Request[User, Any, Any], services: ServicesDep, ids: FromQuery[str] = "", here: FromQuery[str] = ""
) -> Template:
    """The same rows as they are by now; the last answer when no picture is being made any more."""
    rows = await rows_named(services, ids)
    status_code = 200 if any(row.picture == "making" for row in rows) else HTMX_STOP_POLLING
    return render(request, "documents/live.html", status_code=status_code, **listing(rows, within(here)))


def listing(rows: Sequence[Row], here: str) -> dict[str, Any]:
    """Context of documents/live.html. `here` is the address to come back to after an action."""
    ids = ",".join(row.document.file_id for row in rows)
    live = f"{PATH}/live?{urlencode({'ids': ids, 'here': here})}"
    making = any(row.picture == "making" for row in rows)
    return {"rows": rows, "here": here, "live": live if making else None}


def within(here: str) -> str:
    """An address that a form brought, if it is one of these pages; else that of the list."""
    return here if here.startswith(PATH) else PATH
