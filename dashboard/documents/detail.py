"""GET /admin/documents/{id}: all that is known of one document, and its bytes and pictures for a browser."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.auth import PERSONAL, User
from dashboard.documents.rows import SCAN_WORDS, Row, rows_of
from dashboard.flash_messages import NOTICES
from dashboard.rendering import HTMX_STOP_POLLING, render
from service.api.dependencies import ServicesDep
from service.api.downloads import download_document
from service.api.image_responses import thumbnail_response
from service.api.videos import NAMES, download_video
from service.database import ImageRecord
from service.documents.corrections.doubtful import DoubtfulFilter, count_doubtful
from service.documents.images import ImageRecords
from service.documents.thumbnails.store import ThumbnailStore
from service.documents.videos.store import VideoStore
from service.services import Services
from tasks.images.variants import FORMATS, SIZE_MAX, SIZES, Format, Variant, variants

JOBS_SHOWN = 10


@dataclass(frozen=True)
class Detail:
    """One document. `pictures` are those that are there, by size; `image` is known of what was uploaded as a photo."""

    row: Row
    pictures: dict[int, list[Variant]]
    image: ImageRecord | None
    videos: list[str]
    """Formats of a video that are there, and poster and strip."""
    doubtful: int = 0
    """Pages that wait for a person."""


@get("/documents/{file_id:str}", name="document")
async def document_page(
    request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str], notice: FromQuery[str] = ""
) -> Template:
    detail = await _detail(services, file_id)
    return render(
        request, "documents/show.html", detail=detail, sizes=SIZES, scans=SCAN_WORDS, notice=NOTICES.get(notice)
    )


@get("/documents/{file_id:str}/live")
async def document_live(request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str]) -> Template:
    detail = await _detail(services, file_id)
    status_code = 200 if detail.row.maker else HTMX_STOP_POLLING
    return render(
        request, "documents/document.html", status_code=status_code, detail=detail, sizes=SIZES, scans=SCAN_WORDS
    )


@get("/documents/{file_id:str}/content", opt={PERSONAL: True})
async def document_content(
    request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str]
) -> Response[Any]:
    """The file as it was uploaded, or a range of it, always as a download. Raises NoSuchFile."""
    document = await services.files.describe(file_id)
    return await download_document(request, services.files, document)


@get("/documents/{file_id:str}/thumbnails/{size:int}", opt={PERSONAL: True})
async def document_picture(
    request: Request[User, Any, Any],
    services: ServicesDep,
    file_id: FromPath[str],
    size: FromPath[int],
    format: FromQuery[Format] = "webp",
) -> Response[Any]:
    """A thumbnail that is there. Looking starts no job: that is an operator's to do. Raises NoSuchFile."""
    document = await services.files.describe(file_id)
    variant = Variant(min(max(size, 0), SIZE_MAX), format)
    data = await ThumbnailStore(services.storage).picture(document.sha256, variant)
    if data is None:
        raise NotFoundException(f"{document.name} has no picture of {size} pixels.")
    return thumbnail_response(request, data, document.sha256, variant)


@get("/documents/{file_id:str}/videos/{format:str}", opt={PERSONAL: True})
async def document_video(
    request: Request[User, Any, Any], services: ServicesDep, file_id: FromPath[str], format: FromPath[str]
) -> Response[Any]:
    """A format, the poster or the strip of a video that is there. Raises NoSuchFile."""
    document = await services.files.describe(file_id)
    found = await download_video(request, services, document, format)
    if found is None:
        raise NotFoundException(f"{document.name} has no {format[:40]}.")
    return found


async def _detail(services: Services, file_id: str) -> Detail:
    """Raises NoSuchFile."""
    document = await services.files.metadata(file_id)
    (row,) = await rows_of(services, [document], JOBS_SHOWN)
    if row.unusable:
        return Detail(row, {size: [] for size in SIZES}, None, [])
    lacking = await ThumbnailStore(services.storage).lacking(document.sha256, variants(SIZES))
    pictures = {size: [Variant(size, format) for format in FORMATS] for size in SIZES}
    there = {size: [one for one in wanted if one not in lacking] for size, wanted in pictures.items()}
    image = await ImageRecords(services.database, services.storage).get(file_id)
    doubtful = await count_doubtful(services.database, DoubtfulFilter(file_id=file_id))
    made = await VideoStore(services.database, services.storage).names(file_id) if row.is_video else set()
    return Detail(row, there, image, [format for format, name in NAMES.items() if name in made], doubtful)
