"""Sentences of the API in the language that a request asks for, and the English ones as before where it asks for none."""

import httpx
import pytest

from tests.api.conftest import Served
from tests.api.hands import Hands
from tests.api.test_job_events import follow, received
from tests.api.test_jobs import queued

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status_code", "english", "german"),
    [
        ("GET", "/api/jobs/nowhere", None, 404, "There is no job nowhere.", "Es gibt keinen Job nowhere."),
        ("GET", "/api/nothing", None, 404, "There is nothing at /api/nothing.", "Unter /api/nothing gibt es nichts."),
        ("PUT", "/api/jobs", None, 405, "PUT is not allowed here.", "PUT ist hier nicht erlaubt."),
        ("POST", "/api/jobs/pdf-ocr", "{", 400, "The body is not valid JSON:", "Der Body ist kein gültiges JSON:"),
        ("POST", "/api/jobs/pdf-ocr", "{}", 400, "file_id is required.", "file_id ist erforderlich."),
        (
            "POST", "/api/jobs/pdf-ocr", '{"file_id": "gone"}', 404, "There is no file gone.", "Es gibt keine Datei gone.",
        ),
        ("GET", "/api/jobs?status=gone", None, 400, "status must be one of queued,", "status muss einer der Werte queued,"),
    ],
)  # fmt: skip
async def test_an_error_is_in_the_readers_language(
    acme: httpx.AsyncClient, method: str, path: str, body: str | None, status_code: int, english: str, german: str
) -> None:
    for headers, language, sentence in (
        ({}, "en", english),
        (GERMAN, "de", german),
        ({"Accept-Language": "fr"}, "en", english),
    ):
        answer = await acme.request(method, path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["status_code"]) == (status_code, status_code)
        assert answer.json()["detail"].startswith(sentence)
        assert answer.headers["content-language"] == language and answer.headers["vary"] == "Accept-Language"
        errors = answer.json()["errors"]
        assert not errors or errors[0]["message"].startswith(sentence)


async def test_a_jobs_message_is_in_the_readers_language_and_stored_in_english(
    acme: httpx.AsyncClient, hands: Hands, served: Served
) -> None:
    job_id = await queued(acme)
    job = await hands.take()
    await hands.progress(job, 3, "Processing page 3 of 500 (1%)")
    for path in (f"/api/jobs/{job_id}", f"/api/jobs/{job_id}/status"):
        english, german = await acme.get(path), await acme.get(path, headers=GERMAN)
        assert english.json()["message"] == "Processing page 3 of 500 (1%)"
        assert german.json()["message"] == "Seite 3 von 500 wird verarbeitet (1 %)"
        same = {name for name, value in english.json().items() if german.json()[name] == value}
        assert english.json().keys() - same <= {"message", "estimated_completion"}
    listed = (await acme.get("/api/jobs", headers=GERMAN)).json()["jobs"]
    assert [one["message"] for one in listed] == ["Seite 3 von 500 wird verarbeitet (1 %)"]
    stored = await served.services.store.get(job_id)
    assert stored is not None and stored.message == "Processing page 3 of 500 (1%)"
    other = await acme.get(f"/api/jobs/{job_id}/status", headers={"If-None-Match": english.headers["etag"], **GERMAN})
    assert other.status_code == 200, "a client that changes its language has not seen this text"


async def test_an_open_stream_keeps_the_language_it_was_opened_in(
    acme: httpx.AsyncClient, hands: Hands, served: Served
) -> None:
    job_id = await queued(acme)
    async with follow(served, job_id, query="?lang=de") as socket:
        await received(socket)
        job = await hands.take()
        assert (await received(socket))["status"] == "active"
        await hands.progress(job, 3, "Processing page 3 of 500 (1%)")
        assert (await received(socket))["message"] == "Seite 3 von 500 wird verarbeitet (1 %)"
    answer = await acme.get(f"/api/jobs/{job_id}/events?lang=de", headers={"Accept": "text/html"})
    assert answer.status_code == 406 and answer.json()["detail"].startswith("Ereignisse kommen als text/event-stream")


async def test_an_answer_without_a_sentence_says_nothing_of_languages(acme: httpx.AsyncClient) -> None:
    answer = await acme.get("/api/ocr/languages", headers=GERMAN)
    assert answer.status_code == 200 and "vary" not in answer.headers and "content-language" not in answer.headers
