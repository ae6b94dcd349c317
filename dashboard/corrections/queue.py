"""GET /admin/doubtful: the pages that wait for a person, rates by source, and the corrections as training data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.exceptions import ClientException
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Stream, Template

from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import PERSONAL, User
from dashboard.corrections.views import address
from dashboard.list_urls import given, list_address
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.api.downloads import attachment
from service.database import Document
from service.database.corrections import DoubtfulPageRow
from service.documents.corrections.doubtful import (
    FILTERS,
    OWN_TEXT,
    DoubtfulFilter,
    count_doubtful,
    doubtful_row,
    list_doubtful,
)
from service.documents.corrections.export import training_data
from service.documents.corrections.rates import SourceRates, rates
from service.documents.listing import documents_by_id
from service.documents.store import NoSuchFile
from service.services import Services
from tasks.ocr.doubt_kinds import KINDS, OTHER

PATH = "/admin/doubtful"

PAGE_ROWS = 50

PERIODS = {"7": 7, "30": 30, "90": 90}
"""Days that the rates may cover."""


@dataclass(frozen=True)
class Waiting:
    """A row of the queue, with its document; None for one that is being deleted."""

    row: DoubtfulPageRow
    document: Document | None
    address: str


@get("/doubtful", name="doubtful")
async def doubtful_page(
    request: Request[User, Any, Any], services: ServicesDep, after: FromQuery[str] = "", days: FromQuery[str] = "30"
) -> Template:
    """One page of the queue, those that have waited longest first. Unknown parameters are passed over."""
    wanted = given(request.query_params, FILTERS)
    found = await list_doubtful(
        services.database, DoubtfulFilter(**wanted), limit=PAGE_ROWS + 1, after=await _row_named(services, after)
    )
    rows = found[:PAGE_ROWS]
    documents = {one.file_id: one for one in await documents_by_id(services.database, [row.file_id for row in rows])}
    period = PERIODS.get(days, 30)
    queue = {name: text for name, text in wanted.items() if name != "file_id"}
    more = f"{rows[-1].file_id}.{rows[-1].page}" if len(found) > PAGE_ROWS else ""
    return render(
        request,
        "corrections/queue.html",
        waiting=[
            Waiting(
                row, documents.get(row.file_id), list_address(address(row.file_id, row.page), queue | {"queue": "1"})
            )
            for row in rows
        ],
        left=await count_doubtful(services.database, DoubtfulFilter(**wanted)),
        given=wanted,
        kinds=(*KINDS, OTHER),
        engines=("rapidocr", "easyocr", OWN_TEXT),
        first=list_address(PATH, wanted) if after else None,
        further=list_address(PATH, wanted | {"after": more}) if more else None,
        sources=[Drawn(one) for one in await rates(services.database, period, wanted.get("owner", ""))],
        days=period,
        periods=PERIODS,
    )


async def _row_named(services: Services, after: str) -> DoubtfulPageRow | None:
    """The row that a cursor names. Raises ClientException (400) for what is none."""
    if not after:
        return None
    file_id, _, page = after.rpartition(".")
    try:
        document = await services.files.describe(file_id)
        row = await doubtful_row(services.database, document, int(page)) if page.isdigit() else None
    except NoSuchFile:
        row = None
    if row is None:
        raise ClientException("The page that this list went on from is gone: open the list again.")
    return row


@dataclass(frozen=True)
class Drawn:
    """Rates of a source, with the paths of its chart: a column a day, as high as the share."""

    rates: SourceRates

    @property
    def width(self) -> int:
        return max(1, len(self.rates.days))

    @property
    def doubtful(self) -> str:
        """Path of the doubtful share."""
        return columns([one.share("doubtful") for one in self.rates.days])

    @property
    def failed(self) -> str:
        """Path of the failed share."""
        return columns([one.share("failed") for one in self.rates.days])

    @property
    def read(self) -> str:
        """Path of days on which anything was read."""
        return "".join(f"M{day} 100v-3h.7V100z" for day, one in enumerate(self.rates.days) if one.pages + one.failed)


def columns(shares: Sequence[float]) -> str:
    """Path of columns one unit wide in a box 100 high; no share, no column."""
    return "".join(f"M{day} 100v-{max(6, 100 * share):.0f}h.7V100z" for day, share in enumerate(shares) if share)


@post("/doubtful/export", status_code=200, opt={ACTION: "corrections.exported", PERSONAL: True})
async def export_corrections(
    request: Request[User, Any, Any], services: ServicesDep, data: URLEncodedBody[dict[str, str]]
) -> Stream:
    """The corrections as training data: a ZIP, written as it is sent."""
    owner = data.get("owner", "").strip()
    audit_detail(request, f"corrections of {owner or 'all owners'}")
    return Stream(
        training_data(services.corrections, services.files, owner),
        media_type="application/zip",
        headers={"Content-Disposition": attachment("corrections.zip")},
    )
