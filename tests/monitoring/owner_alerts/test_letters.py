"""Messages in English and German: counts, links, and the link that unsubscribes in each."""

import re

import msgspec
import pytest

from service.database import AlertAddress
from service.lib.tickets import BadTicket, Tickets
from service.monitoring.owner_alerts.conditions import JobLine, LimitNews, News, WaitNews
from service.monitoring.owner_alerts.letters import Letters, as_html
from service.monitoring.owner_alerts.links import AlertLinks
from service.monitoring.owner_alerts.rows import new_mail
from tasks.ports.owner_alerts import AlertLetter

BASE = "https://offload.example"
KEY = b"a key of this test"
AT_MS = 1_795_960_800_000


def address(language: str = "en") -> AlertAddress:
    return AlertAddress(
        address_id="alert-address-1", owner="acme", address="ada@example.com", mailbox="ada@example.com",
        language=language, conditions='["failed"]', every_minutes=60, waiting_minutes=30, state="confirmed",
        progress="{}",
    )  # fmt: skip


def written(news: News, language: str = "en", kind: str = "alert") -> AlertLetter:
    row = address(language)
    return Letters(BASE, AlertLinks(BASE, KEY), Tickets(KEY)).write(new_mail(row, kind, news), row)


EVERYTHING = News(
    failed=10_000,
    incomplete=1,
    ids={"failed": ["pdf-ocr-1", "csv-export-2"], "incomplete": ["pdf-ocr-3"]},
    limits=[LimitNews("pages_per_month", 2, 1_000, 1_000, AT_MS)],
    waiting=WaitNews("pdf-ocr-4", AT_MS, AT_MS),
    jobs={
        "pdf-ocr-1": JobLine("pdf-ocr-1", "pdf-ocr", AT_MS, linked=True),
        "csv-export-2": JobLine("csv-export-2", "csv-export", AT_MS, linked=False),
        "pdf-ocr-4": JobLine("pdf-ocr-4", "pdf-ocr", None, linked=True),
    },
)


def test_a_digest_has_counts_links_and_the_rest_as_a_number() -> None:
    letter = written(EVERYTHING)
    assert letter.subject == "acme: 10,000 jobs failed, 1 job incomplete, a limit is reached"
    for line in (
        "10,000 jobs failed for good:",
        "- pdf-ocr-1, 2026-11-29 14:00 UTC",
        "- csv-export-2, 2026-11-29 14:00 UTC\n  It can be read with an API key only.",
        "and 9,998 more.",
        "- pdf-ocr-3\n  It has been removed since.",
        "Limit reached: 1,000 of 1,000 pages a month (2026-11-29 14:00 UTC)",
        "A job has waited since 2026-11-29 14:00 UTC, longer than 30 minutes:\n- pdf-ocr-4\n",
    ):
        assert line in letter.text, letter.text
    tickets = re.findall(rf"{BASE}/j/(\S+)", letter.text)
    assert [Tickets(KEY).read(one).job_id for one in tickets] == ["pdf-ocr-1", "pdf-ocr-4"]
    assert letter.text.rstrip().endswith(letter.unsubscribe_url)
    assert AlertLinks(BASE, KEY).unsubscribed_id(letter.unsubscribe_url.rpartition("/")[2]) == "alert-address-1"
    assert f'<a href="{letter.unsubscribe_url}">' in letter.html


def test_in_german_every_sentence_is_german() -> None:
    letter = written(EVERYTHING, "de")
    assert letter.subject == "acme: 10.000 Jobs fehlgeschlagen, 1 Job unvollständig, eine Grenze ist erreicht"
    assert "10.000 Jobs sind endgültig fehlgeschlagen:" in letter.text and "und 9.998 weitere." in letter.text
    assert "Grenze erreicht (Seiten pro Monat): 1.000 von 1.000 (2026-11-29 14:00 UTC)" in letter.text, letter.text
    english = set(re.findall(r"\b(?:the|job|failed|limit|waits|alerts|message|minutes)\b", letter.text))
    assert english == set(), letter.text


@pytest.mark.parametrize(("language", "words"), [("en", "None is sent before you confirm"), ("de", "erst, wenn Sie")])
def test_a_confirmation_asks_and_can_be_refused(language: str, words: str) -> None:
    letter = written(News(), language, "confirmation")
    assert words in letter.text and letter.unsubscribe_url in letter.text
    ticket = re.findall(r"/alert-mails/confirm/(\S+)", letter.text)[0]
    links = AlertLinks(BASE, KEY)
    assert links.confirmed_id(ticket) == "alert-address-1"
    for read in (links.unsubscribed_id, Tickets(KEY).read):
        with pytest.raises(BadTicket):
            read(ticket)


def test_nothing_in_a_name_is_html() -> None:
    assert as_html('<b>"x"</b> & y\n\nhttps://a.example/?b=1&c="\n') == (
        "<p>&lt;b&gt;&#34;x&#34;&lt;/b&gt; &amp; y</p>\n"
        '<p><a href="https://a.example/?b=1&amp;c=&#34;">https://a.example/?b=1&amp;c=&#34;</a></p>'
    )


def test_news_of_this_release_are_read_by_the_next() -> None:
    assert msgspec.json.decode(msgspec.json.encode(EVERYTHING), type=News) == EVERYTHING
