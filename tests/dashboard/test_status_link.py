"""The page behind a status link: one job for the person who waits for it."""

import re
import time

from dashboard.status_link.texts import TEXTS, size, time_left
from service.api.tickets import page_path
from service.engine.states import State
from service.lib.tickets import Tickets
from tests.dashboard.conftest import Client
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
