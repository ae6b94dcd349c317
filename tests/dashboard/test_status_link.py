"""The page behind a status link: one job for the person who waits for it."""

import re
import time

import pytest
from httpx import BasicAuth

from dashboard.status_link.texts import TEXTS, size, time_left
from service.engine.states import State
from service.lib.tickets import Tickets, page_path
from settings import Queue, Role
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.made import Maker

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


def link(made: Maker, job_id: str, seconds: int = 60, file: str = "") -> str:
    return page_path(made.services.tickets.issue(job_id, int(time.time()) + seconds, file))


async def test_the_bar_and_then_the_results(anybody: Client, made: Maker) -> None:
    job = await made.active()
    await made.progressed(job, 67, "Processing page 134 of 200 (67%)", pages_processed=134, total_pages=200)
    path = link(made, job.id)
    page = await anybody.get(path)
    assert page.status_code == 200
    assert "It is being worked on." in page.text and 'value="67"' in page.text and "Page 134 of 200" in page.text
    assert f'hx-get="{path}/progress?lang=en"' in page.text
    assert re.search(r'<noscript>\s*<meta http-equiv="refresh"', page.text), "a browser without scripts loads it again"
    await made.completed(job, {"text.txt": (b"read", "text/plain"), "odd.bin": (b"x" * 1234, "application/x-odd")})
    part = await anybody.get(f"{path}/progress")
    assert "http-equiv" not in (await anybody.get(path)).text
    assert part.status_code == 286 and "hx-get" not in part.text and "It is done." in part.text
    assert "odd.bin</a>" in part.text and "1.2 kB" in part.text
    address = re.search(r'href="([^"]+text\.txt\?ticket=[^"]+)"', part.text)
    assert address and (await anybody.get(address[1])).text == "read"


async def test_nothing_of_the_payload_or_the_owner_is_shown(anybody: Client, made: Maker) -> None:
    job = await made.active(owner="acme-of-all")
    text = (await anybody.get(link(made, job.id))).text
    assert "ada@example.com" not in text and "file-1" not in text and "acme-of-all" not in text


async def test_a_failure_is_a_sentence_in_the_readers_language(anybody: Client, made: Maker) -> None:
    job = await made.active()
    await made.failed(job, "<b>the page is blank")
    page = (await anybody.get(link(made, job.id), headers=GERMAN)).text
    assert '<html lang="de">' in page and "Er ist fehlgeschlagen." in page
    assert "&lt;b&gt;the page is blank." in page and 'lang="en"' in page


async def test_an_address_can_name_the_language(anybody: Client, made: Maker) -> None:
    path = link(made, await made.queued())
    page = await anybody.get(f"{path}?lang=de")
    assert "Er wartet, bis er an der Reihe ist." in page.text and "/progress?lang=de" in page.text
    assert page.headers["content-language"] == "de"
    assert '<html lang="en">' in (await anybody.get(f"{path}?lang=tlh")).text


async def test_the_link_stays_with_its_reader(anybody: Client, made: Maker) -> None:
    headers = (await anybody.get(link(made, await made.queued()))).headers
    assert headers["referrer-policy"] == "no-referrer" and headers["x-robots-tag"] == "noindex, nofollow"
    assert headers["cache-control"] == "no-store" and "default-src 'none'" in headers["content-security-policy"]


async def test_links_that_show_nothing(anybody: Client, made: Maker) -> None:
    job_id = await made.queued()
    altered = link(made, job_id)[:-1] + "!"
    other = page_path(Tickets(b"another installation").issue(job_id, int(time.time()) + 60))
    for path, status_code, sentence in (
        (altered, 404, "This link is not valid."),
        (other, 404, "This link is not valid."),
        ("/j/x", 404, "This link is not valid."),
        (link(made, job_id, -1), 410, "This link has expired."),
        (link(made, "pdf-ocr-gone"), 410, "This job and its results have been removed."),
        (link(made, job_id, file="text.txt"), 403, "This link opens one file only."),
    ):
        page = await anybody.get(path)
        assert (page.status_code, sentence in page.text) == (status_code, True), path
        assert "hx-get" not in page.text and page.headers["referrer-policy"] == "no-referrer"
        part = await anybody.get(f"{path}/progress")
        assert (part.status_code, sentence in part.text) == (286, True)


def test_each_state_has_its_sentence() -> None:
    assert {str(state) for state in State} <= TEXTS.keys()


def test_estimates_are_coarse() -> None:
    assert [time_left(TEXTS, s * 1000) for s in (-5, 59, 60, 89, 150, 7200)] == [
        "Ready in less than a minute", "Ready in less than a minute", "Ready in about a minute", "Ready in about a minute",
        "Ready in about 2 minutes", "Ready in about 2 hours",
    ]  # fmt: skip


def test_sizes_have_the_languages_decimal_mark() -> None:
    assert [size(n, "de") for n in (0, 999, 1500, 123_456, 5 * 10**12)] == [
        "0 B",
        "999 B",
        "1,5 kB",
        "123 kB",
        "5000 GB",
    ]
    assert size(1500, "en") == "1.5 kB"


async def test_an_operator_issues_a_link_that_opens_the_job_and_is_in_the_log(operator: Client, made: Maker) -> None:
    job_id = await made.completed(await made.active(), {"text.txt": (b"read", "text/plain")})
    form = await operator.get(f"/admin/jobs/{job_id}/status-link")
    assert form.status_code == 200 and "/j/ticket_" not in form.text, "looking issues nothing"
    assert f'href="/admin/jobs/{job_id}/status-link"' in (await operator.get(f"/admin/jobs/{job_id}")).text
    issued = await act(operator, f"/admin/jobs/{job_id}/status-link", hours="24")
    link = re.search(r'id="link">(http://[^<]+)</p>', issued.text)
    assert link and link[1].startswith(str(operator.base_url)), issued.text
    ticket = made.services.tickets.read(link[1].rpartition("/")[2].replace("%7E", "~"))
    assert (ticket.job_id, ticket.file) == (job_id, "") and 23 < (ticket.expires_s - time.time()) / 3_600 <= 24
    assert "status-link.issued" in (await operator.get(f"/admin/audit?target_id={job_id}")).text
    operator.auth = None
    assert "text.txt" in (await operator.get(link[1])).text


async def test_an_operator_of_other_queues_gets_403_for_a_status_link_and_its_message(
    operator: Client, anybody: Client, made: Maker
) -> None:
    users = made.services.users
    rights = {"created_by": "admin", "personal": True, "queues": [str(Queue.EMAIL_SENDER)]}
    await users.add("eva-of-mails", "eva-password-1", Role.OPERATOR, **rights)
    try:
        job_id = await made.queued()
        anybody.auth = BasicAuth("eva-of-mails", "eva-password-1")
        path, given = f"/admin/jobs/{job_id}/status-link", await token(anybody)
        answers = [await anybody.get(path)]
        for address in (path, f"{path}/mail"):
            form = {"csrf": given, "hours": "24", "recipient": "kim@example.com", "subject": "s", "text": "t"}
            answers.append(await anybody.post(address, data=form))
        assert [answer.status_code for answer in answers] == [403] * 3
        assert all("eva-of-mails acts in email-sender only." in answer.text for answer in answers)
        assert path not in (await anybody.get(f"/admin/jobs/{job_id}")).text
        assert [job.id for job in (await made.store.list()).jobs] == [job_id]
    finally:
        await users.remove("eva-of-mails")


async def test_a_viewer_issues_no_link(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    given = await token(operator)
    operator.auth = VIEWER
    path = f"/admin/jobs/{job_id}/status-link"
    assert (await operator.get(path)).status_code == 403
    for address in (path, f"{path}/mail"):
        assert (await operator.post(address, data={"csrf": given, "hours": "24"})).status_code == 403
    assert path not in (await operator.get(f"/admin/jobs/{job_id}")).text


async def test_a_refused_message_comes_back_with_all_that_was_typed(
    operator: Client, made: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await made.queued()
    path = f"/admin/jobs/{job_id}/status-link/mail"
    typed = {"hours": "168", "recipient": "kim@nowhere@x", "subject": "Ihr Vertrag", "text": "Guten Tag,\r\nalles neu."}
    without = await act(operator, path, **typed)
    assert without.status_code == 400 and "No mail server is configured" in without.text
    with_mail = made.services.settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"})
    monkeypatch.setattr(made.services, "settings", with_mail)
    refused = await act(operator, path, **typed)
    assert refused.status_code == 400 and "The recipient is not a valid address" in refused.text
    shown = " ".join(refused.text.split())
    assert all(text in shown for text in ("kim@nowhere@x", "Ihr Vertrag", "alles neu.", 'value="168" selected'))
    assert "set OFFLOAD_PUBLIC_URL" in refused.text
    for wrong in ({"subject": ""}, {"subject": "x" * 300}, {"text": "x" * 6_000}, {"hours": "9999"}):
        assert (await act(operator, path, **typed | {"recipient": "kim@example.com"} | wrong)).status_code == 400
    assert "Guten Tag,\n\nunter" in (await operator.get(f"/admin/jobs/{job_id}/status-link?lang=de")).text
    sent = await act(operator, path, **typed | {"recipient": "kim@example.com"})
    assert sent.status_code == 303
    (job,) = [one for one in (await made.store.list()).jobs if one.type == "mail-link"]
    assert sent.headers["location"] == f"/admin/jobs/{job.id}?notice=link-mailed"
    assert job.payload == {
        "recipient": "kim@example.com",
        "subject": "Ihr Vertrag",
        "text": "Guten Tag,\nalles neu.",
        "job_id": job_id,
        "hours": 168,
    }
    log = (await operator.get(f"/admin/audit?target_id={job_id}")).text
    assert f"for a week, by {job.id}" in log and "kim@" not in log
