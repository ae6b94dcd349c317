"""Pages that people correct: in place, from the queue, and by a link without a login."""

import io
import json
import re
import time
import zipfile

from sqlalchemy import select

from service.api.correction_links import correction_path
from service.database import Event
from service.documents.corrections.rates import rates
from service.lib.tickets import Tickets
from tests.dashboard.conftest import OPERATOR, VIEWER, Client, act, token
from tests.dashboard.made import Maker
from tests.documents.corrections.made_reading import artefact, made_reading, read_page, uploaded

LINES = ("the harbuor ledger", "of nineteen hundred")


def version(text: str) -> str:
    found = re.search(r'name="version" value="([^"]+)"', text)
    assert found, text
    return found[1]


async def test_a_word_is_corrected_in_place_and_the_log_has_none_of_it(operator: Client, made: Maker) -> None:
    services = made.services
    document = await uploaded(services)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    path = f"/admin/documents/{document.file_id}/pages/1"
    page = await operator.get(path)
    assert page.status_code == 200 and 'value="harbuor"' in page.text and "1 doubtful word" in page.text
    picture = await operator.get(f"{path}/picture?turn=90")
    assert picture.headers["content-type"] == "image/webp"
    fields = {"version": version(page.text), "csrf": await token(operator)}
    # Without scripts the form sends every field; what is as it was is not touched.
    saved = await operator.post(f"{path}/correct", data=fields | {"word-1": "harbour"})
    assert saved.status_code == 303
    assert b"the harbour ledger" in await artefact(services, job, "text.txt")
    late = await operator.post(
        f"{path}/correct", data=fields | {"order": "1", "text": "harvest"}, headers={"X-Fragment": "1"}
    )
    assert late.status_code == 409 and "was changed by admin" in late.text
    assert 'value="harvest"' in late.text and "<html" not in late.text
    assert re.search(r"There now: <bdi[^>]*>harbour</bdi> · You typed: <bdi[^>]*>harvest</bdi>", late.text)
    async with services.database.reading() as session:
        lines = list(await session.scalars(select(Event).where(Event.target_id == document.file_id)))
    assert [(line.actor, line.owner, line.outcome, line.detail) for line in lines] == [
        ("admin", "acme", "done", "page 1: 1 corrected (characters: 7 → 7)"),
        ("admin", "acme", "refused", "page 1"),
    ]
    operator.auth = VIEWER
    for address in (path, f"{path}/picture", f"{path}/live"):
        assert (await operator.get(address)).status_code == 403


async def test_the_queue_leads_from_page_to_page_until_none_is_left(operator: Client, made: Maker) -> None:
    services = made.services
    document = await uploaded(services, owner="queue-owner", pages=2)
    pages = [read_page(*LINES, number=number, doubtful="harbuor") for number in (1, 2)]
    await made_reading(services, document, *pages)
    listed = (await operator.get("/admin/doubtful?owner=queue-owner&reason=words")).text
    assert "2 pages to look at" in listed and "read with little certainty" in listed
    assert "No doubtful page that fits" in (await operator.get("/admin/doubtful?owner=queue-owner&reason=unread")).text
    base = f"/admin/documents/{document.file_id}/pages"
    onward = await operator.get(f"{base}/1/next?owner=queue-owner&queue=1")
    assert onward.headers["location"] == f"{base}/2?owner=queue-owner&queue=1"
    for number in (1, 2):
        page = (await operator.get(f"{base}/{number}")).text
        await act(operator, f"{base}/{number}/correct", version=version(page), approved="1")
    end = await operator.get(f"{base}/2/next?owner=queue-owner&queue=1")
    assert end.headers["location"] == "/admin/doubtful?owner=queue-owner"
    assert "No doubtful page that fits" in (await operator.get(end.headers["location"])).text
    (source,) = await rates(services.database, 7, "queue-owner")
    assert (source.engine, source.total.pages, source.total.doubtful) == ("rapidocr", 2, 2)
    assert source.days[-1] == source.total and len(source.days) == 7


async def test_another_reading_of_a_page_is_a_job_and_the_page_waits_for_it(operator: Client, made: Maker) -> None:
    document = await uploaded(made.services)
    await made_reading(made.services, document, read_page(*LINES, doubtful="harbuor"))
    path = f"/admin/documents/{document.file_id}/pages/1"
    assert (await act(operator, f"{path}/reread", rotation="45")).status_code == 400
    assert (await act(operator, f"{path}/reread", rotation="90", languages="en")).status_code == 303
    (job,) = (await made.services.store.list(type="pdf-ocr-page", owner="acme")).jobs
    assert (job.payload["page"], job.payload["rotation"]) == (1, 90)
    page = (await operator.get(path)).text
    assert "is being read again" in page and job.id in page
    refused = await act(operator, f"{path}/correct", version=version(page), order="1", text="harbour")
    assert refused.status_code == 409 and 'value="harbour"' in refused.text
    assert (await operator.get(f"{path}/live")).status_code == 200


async def test_a_link_opens_the_doubtful_pages_of_one_document_and_nothing_else(anybody: Client, made: Maker) -> None:
    services = made.services
    document = await uploaded(services, pages=2)
    fine = read_page(*LINES, number=2)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor"), fine)
    expires_s = int(time.time()) + 60
    path = correction_path(services.correction_links.issue(document.file_id, expires_s))
    start = await anybody.get(path, headers={"Accept-Language": "de"})
    assert start.status_code == 303 and start.headers["location"] == f"{path}/pages/1?lang=de"
    page = await anybody.get(f"{path}/pages/1?lang=de")
    assert "1 unsicheres Wort" in page.text and page.headers["referrer-policy"] == "no-referrer"
    assert "acme" not in page.text and "/admin" not in page.text
    assert (await anybody.get(f"{path}/pages/1/picture")).headers["content-type"] == "image/webp"
    assert (await anybody.get(f"{path}/pages/2")).status_code == 404
    sent = {"version": version(page.text), "order": "1", "text": "harbour"}
    assert (await anybody.post(f"{path}/pages/2/correct", data=sent)).status_code == 404
    saved = await anybody.post(f"{path}/pages/1/correct?lang=de", data=sent, headers={"X-Fragment": "1"})
    assert saved.status_code == 200 and "Gespeichert." in saved.text
    assert b"the harbour ledger" in await artefact(services, job, "text.txt")
    assert "Thank you." in (await anybody.get(f"{path}?lang=en")).text
    async with services.database.reading() as session:
        (line,) = await session.scalars(select(Event).where(Event.target_id == document.file_id))
    assert (line.actor, line.role, line.owner) == ("correction link", "link", "acme")
    # A ticket of a job opens no document, and the other way round.
    ticket = path.removeprefix("/c/")
    assert (await anybody.get(f"/j/{ticket}")).status_code == 404
    of_job = Tickets(services.settings.link_key).issue(document.file_id, expires_s)
    assert (await anybody.get(correction_path(of_job))).status_code == 404
    late = services.correction_links.issue(document.file_id, int(time.time()) - 1)
    assert (await anybody.get(correction_path(late))).status_code == 410
    await services.files.delete(document.file_id)
    assert (await anybody.get(path)).status_code == 410


async def test_an_operator_issues_a_link_and_a_viewer_does_not(operator: Client, made: Maker) -> None:
    document = await uploaded(made.services)
    page = await act(operator, f"/admin/documents/{document.file_id}/correction-link")
    found = re.search(r"(/c/ticket_[^<\"]+)", page.text)
    assert found and (await operator.get(found[1])).status_code in (200, 303)


async def test_corrections_are_exported_as_lines_with_their_pictures(operator: Client, made: Maker) -> None:
    services = made.services
    document = await uploaded(services, owner="export-owner")
    await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    path = f"/admin/documents/{document.file_id}/pages/1"
    page = (await operator.get(path)).text
    await act(operator, f"{path}/correct", version=version(page), order="1", text="harbour")
    answer = await act(operator, "/admin/doubtful/export", owner="export-owner")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (line,) = archive.read("corrections.jsonl").splitlines()
        entry = json.loads(line)
        assert archive.read(entry["image"]).startswith(b"\x89PNG")
    assert (entry["text"], entry["read"]) == ("the harbour ledger", "the harbuor ledger")
    assert [(word["before"], word["after"]) for word in entry["words"]] == [("harbuor", "harbour")]
    assert OPERATOR is operator.auth
