"""Pages and their corrections by the API: the files of the reading follow, and nothing that a person typed is lost."""

import asyncio
from typing import Any

import httpx
import msgspec
import pypdfium2
import pytest
from sqlalchemy import select

from service.database import Event
from service.documents.corrections.editing import PageChange, WordChange
from service.engine.job_files import checkpoint_path
from service.engine.store.script_inputs import Claim
from service.services import Services
from tasks.ocr.pages import checkpoint_name
from tasks.ocr.words import encode
from tasks.ports.corrections import Corrections
from tests.api.conftest import Served
from tests.documents.corrections.made_reading import (
    artefact,
    begun,
    ended,
    made_reading,
    read_page,
    uploaded,
)

LINES = ("the harbuor ledger", "of nineteen hundred")


async def read(client: httpx.AsyncClient, file_id: str, page: int = 1) -> dict[str, Any]:
    answer = await client.get(f"/api/documents/{file_id}/pages/{page}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def patched(client: httpx.AsyncClient, file_id: str, version: str, **change: Any) -> httpx.Response:
    body = {"version": version} | change
    return await client.patch(f"/api/documents/{file_id}/pages/1", json=body)


async def files_of(services: Services, job: Any) -> tuple[str, dict[str, Any], str]:
    """text.txt, pages.json and what is found in searchable.pdf."""
    with pypdfium2.PdfDocument(await artefact(services, job, "searchable.pdf")) as pdf:
        found = pdf[0].get_textpage().get_text_range()
    pages = msgspec.json.decode(await artefact(services, job, "pages.json"))
    return (await artefact(services, job, "text.txt")).decode(), pages, found


async def test_a_corrected_word_stands_in_all_three_files_at_once(served: Served, acme: httpx.AsyncClient) -> None:
    services = served.services
    document = await uploaded(services)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    page = await read(acme, document.file_id)
    assert [word["text"] for word in page["words"] if word["doubtful"]] == ["harbuor"]
    assert page["doubtful"] and page["doubtful_pages"] == [1]
    etag = (await acme.get(f"/api/jobs/{job.id}/files/text.txt")).headers["etag"]
    answer = await patched(acme, document.file_id, page["version"], words=[{"order": 1, "text": "harbour"}])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["doubtful"], body["doubt"], body["files_follow"]) == (False, None, None)
    assert body["confidence"] > page["confidence"] and body["version"] != page["version"]
    text, pages, found = await files_of(services, job)
    assert text == "the harbour ledger\nof nineteen hundred\n\f"
    assert pages["pages"][0]["words"][1] | {"box": None} == {
        "text": "harbour", "box": None, "confidence": 1.0, "source": "ocr", "order": 1, "line": 0, "block": 0,
        "corrected": True,
    }  # fmt: skip
    assert pages["pages"][0]["doubtful"] is False
    assert "harbour" in found and "harbuor" not in found
    status = (await acme.get(f"/api/jobs/{job.id}/status")).json()
    assert status["result"]["doubtful_pages"] == status["data"]["doubtful_pages"] == []
    assert status["message"] == "Done"
    assert (await acme.get(f"/api/jobs/{job.id}/files/text.txt")).headers["etag"] != etag
    tagged = await services.store.list(search=("tag", "doubtful"))
    assert tagged.jobs == []


async def test_a_line_is_corrected_whatever_its_words_become(served: Served, acme: httpx.AsyncClient) -> None:
    services = served.services
    document = await uploaded(services)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    version = (await read(acme, document.file_id))["version"]
    body = (await patched(acme, document.file_id, version, words=[{"line": 0, "text": "the har bour  ledger"}])).json()
    assert body["text"] == "the har bour ledger\nof nineteen hundred"
    boxes = [word["box"] for word in body["words"][:4]]
    assert [box[0] for box in boxes] == sorted(box[0] for box in boxes)
    assert boxes[0][0] == 72 and boxes[-1][2] == 302
    removed = await patched(acme, document.file_id, body["version"], words=[{"line": 1, "remove": True}])
    assert removed.json()["text"] == "the har bour ledger"
    assert (await artefact(services, job, "text.txt")).decode() == "the har bour ledger\n\f"


async def test_corrections_stay_with_the_document_through_another_reading(
    served: Served, acme: httpx.AsyncClient
) -> None:
    services = served.services
    document = await uploaded(services)
    await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    version = (await read(acme, document.file_id))["version"]
    await patched(acme, document.file_id, version, words=[{"order": 1, "text": "harbour"}])
    second = await made_reading(services, document, read_page("tne harbwor ledger", doubtful="harbwor"))
    assert (await artefact(services, second, "text.txt")).decode() == "tne harbour ledger\n\f"
    assert second.result["doubtful_pages"] == []
    # A word of the correction's box that is not there any more is not put over another one.
    third = await made_reading(services, document, read_page("tne", "ledger"))
    assert (await artefact(services, third, "text.txt")).decode() == "tne\nledger\n\f"
    page = await read(acme, document.file_id)
    assert page["job_id"] == third.id and page["doubtful"]
    assert page["doubt"] == "1 correction no longer fits what was read on the page: see whether the text is right."


async def test_a_correction_while_the_document_is_being_read_is_in_its_files(
    served: Served, acme: httpx.AsyncClient
) -> None:
    services = served.services
    document = await uploaded(services)
    await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    second = await begun(services, document, read_page(*LINES, doubtful="harbuor"))
    await services.runtime.ports[Corrections].begin(second.id, document.file_id)
    version = (await read(acme, document.file_id))["version"]
    await patched(acme, document.file_id, version, words=[{"order": 1, "text": "harbour"}])
    stale = {row.job_id for row in await services.corrections.rows.stale(10)}
    assert stale == {second.id}
    done = await ended(services, second)
    assert "harbour" in (await artefact(services, done, "text.txt")).decode()


async def test_files_that_did_not_follow_are_found_and_written(served: Served, acme: httpx.AsyncClient) -> None:
    """As after a kill -9 between the change and the files: all three are the old ones, then all three the new ones."""
    services = served.services
    document = await uploaded(services)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    page = await services.corrections.readings.page(document, 1)
    edits = PageChange(version=page.version, words=[WordChange(order=1, text="harbour")])
    services.corrections.follow = _nothing  # type: ignore[method-assign]  # the process ends here
    await services.corrections.correct(document, 1, edits, by="acme")
    del services.corrections.follow
    assert b"harbuor" in await artefact(services, job, "text.txt")
    await services.corrections.catch_up()
    await services.corrections.catch_up()
    await services.corrections.catch_up()
    waiting = (await services.store.list(type="pdf-ocr-revise")).jobs
    assert len(waiting) == 1
    taken = await begun_revise(services)
    await ended(services, taken)
    for name in ("text.txt", "pages.json"):
        assert b"harbour" in await artefact(services, job, name)
    assert await services.corrections.rows.stale(10) == []


async def _nothing(*_: object) -> None:
    return None


async def begun_revise(services: Services) -> Any:
    known = msgspec.msgpack.encode(["pdf-ocr-revise", "pdf-ocr-page"])
    (job,) = (await services.store.claimed(Claim("pdf-processing", "by-hand", 1, 60_000, known))).jobs
    return job


async def test_two_people_at_one_page_both_learn_of_the_other(served: Served, acme: httpx.AsyncClient) -> None:
    services = served.services
    document = await uploaded(services)
    await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    version = (await read(acme, document.file_id))["version"]
    answers = await asyncio.gather(
        *(
            patched(acme, document.file_id, version, words=[{"order": 1, "text": text}])
            for text in ("harbour", "harvest")
        )
    )
    assert sorted(one.status_code for one in answers) == [200, 409]
    lost = next(one for one in answers if one.status_code == 409).json()
    kept, sent = ("harbour", "harvest") if "you sent “harvest”" in str(lost) else ("harvest", "harbour")
    assert lost["detail"] == "Page 1 was changed by acme since you opened it, and what you sent was not applied."
    assert lost["errors"][1] == {"field": "words[0]", "message": f"There is “{kept}” now; you sent “{sent}”."}


async def test_a_page_that_is_being_read_again_takes_no_change(served: Served, acme: httpx.AsyncClient) -> None:
    services = served.services
    document = await uploaded(services)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    page = await read(acme, document.file_id)
    await patched(acme, document.file_id, page["version"], words=[{"order": 1, "text": "harbour"}])
    again = await acme.post("/api/jobs/pdf-ocr-page", json={"file_id": document.file_id, "page": 1, "rotation": 180})
    assert again.status_code == 202, again.text
    version = (await read(acme, document.file_id))["version"]
    refused = await patched(acme, document.file_id, version, words=[{"order": 0, "text": "The"}])
    assert refused.status_code == 409 and again.json()["job_id"] in refused.json()["detail"]
    taken = await begun_revise(services)
    reread = read_page("the habour ledger", doubtful="habour")
    await services.storage.put(checkpoint_path(taken.id, checkpoint_name(1)), encode(reread))
    ended_job = await ended(services, taken)
    assert ended_job.result["reading"] == job.id
    assert (await artefact(services, job, "text.txt")).decode() == "the harbour ledger\n\f"
    # The rotation is kept for later readings, and the version of before is refused.
    assert (await services.corrections.rows.of_page(document, 1)).correction.turned == 180
    assert (await patched(acme, document.file_id, version, approved=True)).status_code == 409


async def test_what_cannot_be_a_correction_changes_nothing(served: Served, acme: httpx.AsyncClient) -> None:
    document = await uploaded(served.services)
    await made_reading(served.services, document, read_page(*LINES, doubtful="harbuor"))
    page = await read(acme, document.file_id)
    words = [{"order": 0, "text": "The"}, {"order": 1, "text": " "}]
    answer = await patched(acme, document.file_id, page["version"], words=words)
    sentence = "The correction is empty: to take the word off the page, remove it."
    assert (answer.status_code, answer.json()["errors"]) == (400, [{"field": "words[1].text", "message": sentence}])
    nothing = await patched(acme, document.file_id, page["version"], words=[])
    assert nothing.json()["detail"] == "The change is empty: name words, or whether the page is approved."
    assert await read(acme, document.file_id) == page


async def test_other_scripts_are_words_as_any(served: Served, acme: httpx.AsyncClient) -> None:
    services = served.services
    document = await uploaded(services)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    page = await read(acme, document.file_id)
    answer = await patched(acme, document.file_id, page["version"], words=[{"line": 0, "text": "שלום עולם"}])
    assert answer.status_code == 200, answer.text
    text, _, _ = await files_of(services, job)
    assert text.startswith("שלום עולם\n")
    right, left = (word["box"][0] for word in answer.json()["words"][:2])
    assert left < right


async def test_an_approved_page_is_right_until_its_text_changes(served: Served, acme: httpx.AsyncClient) -> None:
    services = served.services
    document = await uploaded(services)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor", doubt="Unknown writing: it is."))
    page = await read(acme, document.file_id)
    # A doubt that is not about single words stays until a person says that the page is right.
    corrected = (await patched(acme, document.file_id, page["version"], words=[{"order": 1, "text": "harbour"}])).json()
    assert corrected["doubtful"] and not corrected["approved"]
    approved = (await patched(acme, document.file_id, corrected["version"], approved=True)).json()
    assert (approved["approved"], approved["doubtful"], approved["confidence"]) == (True, False, 1.0)
    assert (await services.store.present(job.id)).result["doubtful_pages"] == []
    again = (await patched(acme, document.file_id, approved["version"], words=[{"order": 0, "text": "The"}])).json()
    assert again["doubtful"] and not again["approved"]


async def test_the_audit_log_has_who_and_how_much_and_none_of_the_text(served: Served, acme: httpx.AsyncClient) -> None:
    services = served.services
    document = await uploaded(services)
    await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    page = await read(acme, document.file_id)
    words = [{"order": 1, "text": "harbours"}, {"order": 0, "text": "the"}]
    await patched(acme, document.file_id, page["version"], words=words)
    async with services.database.reading() as session:
        (line,) = await session.scalars(select(Event).where(Event.action == "page.corrected"))
    assert (line.actor, line.owner, line.target_id) == ("acme", "acme", document.file_id)
    assert line.detail == "page 1: 1 corrected (characters: 7 → 8); 1 confirmed"


async def test_pages_and_corrections_are_their_owners(
    served: Served, acme: httpx.AsyncClient, globex: httpx.AsyncClient
) -> None:
    services = served.services
    mine = await uploaded(services)
    await made_reading(services, mine, read_page(*LINES, doubtful="harbuor"))
    theirs = await uploaded(services, owner="globex")
    await made_reading(services, theirs, read_page(*LINES, doubtful="harbuor"))
    page = await read(acme, mine.file_id)
    await patched(acme, mine.file_id, page["version"], words=[{"order": 1, "text": "harbour"}])
    assert (await globex.get(f"/api/documents/{mine.file_id}/pages/1")).status_code == 404
    refused = await globex.patch(f"/api/documents/{mine.file_id}/pages/1", json={"version": page["version"]})
    assert refused.status_code == 404
    # The same bytes of another owner are another document.
    assert "harbuor" in (await read(globex, theirs.file_id))["text"]


async def test_what_is_not_there_is_named(served: Served, acme: httpx.AsyncClient) -> None:
    services = served.services
    document = await uploaded(services)
    unread = await acme.get(f"/api/documents/{document.file_id}/pages/1")
    assert unread.status_code == 404
    assert unread.json()["detail"] == "letter.pdf has no completed reading: queue pdf-ocr for it first."
    refused = await acme.post("/api/jobs/pdf-ocr-page", json={"file_id": document.file_id, "page": 1})
    assert refused.status_code == 409
    await made_reading(services, document, read_page(*LINES))
    beyond = await acme.get(f"/api/documents/{document.file_id}/pages/2")
    assert (beyond.status_code, beyond.json()["detail"]) == (404, "letter.pdf has no page 2: it has 1.")
    refused = await acme.post("/api/jobs/pdf-ocr-page", json={"file_id": document.file_id, "page": 2})
    assert refused.status_code == 404


async def test_a_deleted_document_takes_its_corrections_along(served: Served, acme: httpx.AsyncClient) -> None:
    services = served.services
    first, twin = await uploaded(services), await uploaded(services)
    await made_reading(services, first, read_page(*LINES, doubtful="harbuor"))
    page = await read(acme, first.file_id)
    await patched(acme, first.file_id, page["version"], words=[{"order": 1, "text": "harbour"}])
    rows = services.corrections.rows
    await acme.delete(f"/api/files/{first.file_id}")
    # Another document of the same bytes keeps them.
    assert (await rows.of_page(twin, 1)).version == 1
    await acme.delete(f"/api/files/{twin.file_id}")
    assert (await rows.of_page(twin, 1)).version == 0


async def test_an_older_revision_is_removed_and_the_last_one_stays_for_who_downloads_it(
    served: Served, acme: httpx.AsyncClient
) -> None:
    services = served.services
    document = await uploaded(services)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    for text in ("one", "two", "three"):
        version = (await read(acme, document.file_id))["version"]
        await patched(acme, document.file_id, version, words=[{"order": 1, "text": text}])
    folders = {path.split("/")[3][:6] for path in await services.storage.list(f"jobs/{job.id}/revised")}
    assert folders == {"000002", "000003"}
    assert await services.storage.list(f"jobs/{job.id}/files") == []


async def test_a_long_document_follows_by_a_job(
    served: Served, acme: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.documents.corrections.correcting.INLINE_PAGES", 0)
    services = served.services
    document = await uploaded(services)
    job = await made_reading(services, document, read_page(*LINES, doubtful="harbuor"))
    page = await read(acme, document.file_id)
    body = (await patched(acme, document.file_id, page["version"], words=[{"order": 1, "text": "harbour"}])).json()
    assert body["files_follow"].startswith("pdf-ocr-revise-")
    assert b"harbuor" in await artefact(services, job, "text.txt")
    assert (await ended(services, await begun_revise(services))).result == {"revised": True}
    assert b"harbour" in await artefact(services, job, "text.txt")
