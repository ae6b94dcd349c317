"""Documents: a picture of each, of every owner, and what may be done with them."""

import io
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from sqlalchemy import delete, select

from service.database import Document
from service.documents.images import ImageRecords
from service.documents.malware import Scan
from service.documents.thumbnails.store import ThumbnailStore
from service.monitoring.audit_log import AuditFilter
from tasks.images.photo import process_photo
from tasks.images.variants import SIZES
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.documents import picture, pictured, stored
from tests.dashboard.made import Anything, Maker
from tests.documents.videos.clips import clip

HOSTILE = "<img src=x onerror=alert(1)>&\"'.png"


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _no_documents(made: Maker) -> None:
    async with made.services.database.writing() as session:
        await session.execute(delete(Document))
    await made.services.storage.delete_prefix("thumbnails")


async def test_the_list_is_newest_first_and_filtered_by_the_address(operator: Client, made: Maker) -> None:
    first = await stored(made, "first.png")
    other = await stored(made, "other.png", owner="globex")
    page = (await operator.get("/admin/documents")).text
    assert page.index(other.file_id) < page.index(first.file_id)
    for query, shown in (
        ("name=FIRST", {first}),
        ("owner=globex", {other}),
        ("kind=png", {first, other}),
        ("kind=pdf", set()),
        ("name=%25", set()),
        ("utm_source=mail", {first, other}),
    ):
        page = (await operator.get(f"/admin/documents?{query}")).text
        assert {one for one in (first, other) if f"row-{one.file_id}" in page} == shown, query
    for query in ("kind=docx", "cursor=nonsense"):
        assert (await operator.get(f"/admin/documents?{query}")).status_code == 400
    assert "No document that fits" in (await operator.get("/admin/documents?kind=pdf")).text


async def test_pages_follow_each_other(operator: Client, made: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.documents.views.PAGE_ROWS", 2)
    documents = [await stored(made, f"scan-{number}.png") for number in range(5)]
    seen: list[str] = []
    address = "/admin/documents?name=scan"
    while address:
        page = (await operator.get(address)).text
        seen += [one.name for one in reversed(documents) if f"row-{one.file_id}" in page]
        older = [line for line in page.split("href=") if "cursor=" in line and "Older" in line]
        address = older[0].split('"')[1].replace("&amp;", "&") if older else ""
    assert seen == [f"scan-{number}.png" for number in (4, 3, 2, 1, 0)]


async def test_a_picture_is_served_for_ever_and_looking_starts_no_job(operator: Client, made: Maker) -> None:
    document = await stored(made)
    address = f"/admin/documents/{document.file_id}/thumbnails/150"
    assert (await operator.get(address)).status_code == 404
    assert (await made.store.list()).jobs == []
    await pictured(made, document)
    assert f'src="{address}?v=' in (await operator.get("/admin/documents")).text
    answer = await operator.get(address)
    assert answer.headers["content-type"] == "image/webp" and "max-age=3600" in answer.headers["cache-control"]
    assert Image.open(io.BytesIO(answer.content)).size == (150, 112)
    again = await operator.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and not again.content
    assert (await operator.get(f"{address}?format=jpeg")).headers["content-type"] == "image/jpeg"
    assert (await operator.get(f"{address}?format=bmp")).status_code == 400
    assert (await operator.get("/admin/documents/file-1/thumbnails/150")).status_code == 404


async def test_a_missing_picture_is_made_by_one_job_that_the_page_follows(operator: Client, made: Maker) -> None:
    document = await stored(made, owner="globex")
    for _ in range(2):
        answer = await act(operator, f"/admin/documents/{document.file_id}/thumbnails", here="/admin/documents?owner=x")
        assert answer.headers["location"] == f"/admin/documents?owner=x#row-{document.file_id}"
    (job,) = (await made.store.list(search=("file_id", document.file_id))).jobs
    assert (job.type, job.owner) == ("thumbnails", "globex")
    page = (await operator.get("/admin/documents")).text
    assert "in the making" in page and "hx-get" in page
    live = f"/admin/documents/live?ids={document.file_id},file-{'0' * 32},nonsense"
    assert (await operator.get(live)).status_code == 200
    await pictured(made, document)
    done = await operator.get(live)
    assert done.status_code == 286 and "<img" in done.text and "hx-get" not in done.text


async def test_a_whole_page_of_pictures_can_be_asked_for(operator: Client, made: Maker) -> None:
    lacking = [await stored(made, f"{colour}.png", data=picture(colour)) for colour in ("red", "green")]
    there, bad = await stored(made), await stored(made, "bad.png", data=picture("blue"))
    await pictured(made, there)
    await ThumbnailStore(made.services.storage).give_up(bad.sha256, "The picture is damaged <or> cut short.")
    page = (await operator.get("/admin/documents")).text
    assert "2 of this page have no picture yet" in page and "damaged &lt;or&gt; cut short" in page
    ids = ",".join(one.file_id for one in (*lacking, there, bad))
    await act(operator, "/admin/documents/thumbnails", ids=ids, here="https://evil.example/")
    jobs = (await made.store.list()).jobs
    assert {job.payload["document_ids"][0] for job in jobs} == {one.file_id for one in lacking}
    answer = await act(operator, f"/admin/documents/{bad.file_id}/thumbnails", here="https://evil.example/")
    assert answer.headers["location"] == f"/admin/documents#row-{bad.file_id}"
    assert len((await made.store.list()).jobs) == 3


async def test_a_document_has_a_page(operator: Client, made: Maker) -> None:
    document = await stored(made, HOSTILE)
    await pictured(made, document)
    records = ImageRecords(made.services.database, made.services.storage)
    await records.processing(document.file_id, "image-process-1")
    path = await made.services.files.local(document.file_id, Path())
    await records.ready(document.file_id, process_photo(path))
    page = (await operator.get(f"/admin/documents/{document.file_id}")).text
    for size in SIZES:
        assert f"/thumbnails/{size}?v=" in page
    for fact in (document.sha256, document.owner, "640 × 480 pixels", "image-process-1"):
        assert fact in page
    for text in (page, (await operator.get("/admin/documents")).text):
        assert "<img src=x" not in text and "&lt;img src=x" in text
    content = await operator.get(f"/admin/documents/{document.file_id}/content")
    assert content.content == picture() and content.headers["content-disposition"].startswith("attachment")
    assert (await operator.get(f"/admin/documents/{document.file_id}/live")).status_code == 286
    assert (await operator.get("/admin/documents/file-1")).status_code == 404


async def test_reading_and_deleting_are_written_down_for_the_owner(operator: Client, made: Maker) -> None:
    document = await stored(made, owner="globex")
    here = f"/admin/documents/{document.file_id}"
    answer = await act(operator, f"{here}/ocr")
    (job,) = (await made.store.list(search=("file_id", document.file_id))).jobs
    assert (job.type, job.owner) == ("pdf-ocr", "globex") and job.id in answer.headers["location"]
    assert (await act(operator, f"{here}/delete")).headers["location"].startswith("/admin/documents?notice=")
    async with made.services.database.reading() as session:
        assert await session.scalar(select(Document)) is None
    assert (await act(operator, f"{here}/delete")).status_code == 404
    lines = (await made.services.audit.page(AuditFilter(target=document.file_id), limit=3)).events
    assert [(line.action, line.outcome) for line in lines] == [
        ("document.deleted", "refused"),
        ("document.deleted", "done"),
        ("document.read", "done"),
    ]
    for line in lines[1:]:
        assert (line.owner, line.target_type) == ("globex", "document") and "scan.png" in (line.detail or "")


async def test_a_viewer_looks_and_does_not_act(operator: Client, made: Maker) -> None:
    document = await stored(made)
    given = await token(operator)
    operator.auth = VIEWER
    for page in ("/admin/documents", f"/admin/documents/{document.file_id}"):
        answer = await operator.get(page)
        assert answer.status_code == 200 and 'method="post"' not in answer.text
    for action in (
        f"{document.file_id}/thumbnails",
        "thumbnails",
        f"{document.file_id}/ocr",
        f"{document.file_id}/delete",
    ):
        assert (await operator.post(f"/admin/documents/{action}", data={"csrf": given})).status_code == 403
    assert (await made.store.list()).jobs == []
    assert (await made.services.files.describe(document.file_id)).name == "scan.png"


async def test_a_videos_page_has_its_measures_and_formats_and_makes_them(operator: Client, made: Maker) -> None:
    document = await stored(made, "clip.mov", data=clip("plain"))
    address = f"/admin/documents/{document.file_id}"
    page = (await operator.get(address)).text
    assert "320 × 240 pixels" in page and "No formats yet." in page and "Read it (OCR)" not in page
    row = (await operator.get("/admin/documents?kind=video")).text
    assert document.file_id in row and "locked" not in row and "Make the picture" not in row
    answer = await act(operator, f"{address}/videos")
    job = await made.store.present(answer.headers["location"].split("/")[-1].split("?")[0])
    assert (job.type, job.payload["file_id"]) == ("video-transcode", document.file_id)
    assert (await operator.get(f"{address}/videos/480p")).status_code == 404
    folder = f"documents/{document.file_id}/videos"
    for name in ("r1-480p.mp4", "r1-poster.webp"):
        await made.services.storage.put(f"{folder}/{name}", b"made")
    page = (await operator.get(address)).text
    assert f'href="{address}/videos/480p"' in page and f'src="{address}/videos/poster"' in page
    part = await operator.get(f"{address}/videos/480p", headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.content, part.headers["content-type"]) == (206, b"ad", "video/mp4")
    assert (await operator.get(f"{address}/videos/nothing")).status_code == 404


async def test_a_document_in_quarantine_is_shown_with_its_reason_and_without_its_bytes(
    operator: Client, made: Maker
) -> None:
    infected, held = await stored(made, "bad.png"), await stored(made, "new.png", data=picture("red"))
    await pictured(made, infected)
    async with made.services.database.writing() as session:
        for document, state, signature in ((infected, Scan.INFECTED, "Eicar-Test-Signature"), (held, Scan.HELD, None)):
            row = await session.get(Document, document.file_id)
            assert row is not None
            row.scan, row.signature = state, signature
    for state, document, words in (
        ("infected", infected, "In quarantine: malware was found in it (Eicar-Test-Signature)."),
        ("held", held, "It waits for its malware scan"),
    ):
        page = (await operator.get(f"/admin/documents?scan={state}")).text
        assert [one for one in (infected, held) if f"row-{one.file_id}" in page] == [document]
        assert words in page
        path = f"/admin/documents/{document.file_id}"
        detail = await operator.get(path)
        assert detail.status_code == 200 and words in detail.text
        assert f"{path}/content" not in detail.text and f"{path}/thumbnails" not in detail.text
        assert f"{path}/ocr" not in detail.text
        for below in ("content", "thumbnails/200"):
            assert (await operator.get(f"{path}/{below}")).status_code == (409 if state == "infected" else 503)
    assert (await operator.get("/admin/documents?scan=other")).status_code == 400
    await act(operator, f"/admin/documents/{infected.file_id}/delete")
    assert (await operator.get(f"/admin/documents/{infected.file_id}")).status_code == 404


async def test_the_page_of_a_document_leads_to_its_text_once_it_was_read(operator: Client, made: Maker) -> None:
    document = await stored(made, "a scan.png")
    address = f"/admin/documents/{document.file_id}"
    assert f'href="{address}/pages/1"' not in (await operator.get(address)).text
    await made.completed(await made.active(payload=Anything(file_id=document.file_id)))
    assert f'href="{address}/pages/1"' in (await operator.get(address)).text
