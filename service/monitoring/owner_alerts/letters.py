"""Messages to alert addresses, in the language of each: a confirmation, and what is new."""

import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec
from markupsafe import Markup, escape

from service.database import AlertAddress, AlertMail
from service.lib.languages import in_language, translated
from service.lib.sentences.recogniser import shown
from service.lib.tickets import Tickets, page_path
from service.monitoring.owner_alerts.conditions import News
from service.monitoring.owner_alerts.links import CONFIRM_DAYS, AlertLinks
from service.monitoring.owner_alerts.texts import TEXTS
from settings.plans import WORDS
from tasks.ports.owner_alerts import AlertLetter

LINK_DAYS = 7
"""Days for which links to jobs open: as those to files in mails."""

SUBJECT_FACTS = 3

URL = re.compile(r"https?://\S+")


class Letters:
    """Writes them. `base_url` is how readers reach this installation."""

    def __init__(self, base_url: str, links: AlertLinks, tickets: Tickets) -> None:
        self._base_url = base_url
        self._links = links
        self._tickets = tickets

    def write(self, mail: AlertMail, row: AlertAddress) -> AlertLetter:
        """The message, with links that hold from now on."""
        with in_language(row.language):
            one = _Writing(row, translated(TEXTS, row.language))
            if mail.kind == "confirmation":
                subject, lines = one.confirmation(self._links)
            else:
                news = msgspec.json.decode(mail.news, type=News)
                urls = {job_id: self._job_url(job_id) for job_id, line in news.jobs.items() if line.linked}
                subject, lines = one.alert(news, urls)
        stop = self._links.unsubscribe_url(row.address_id)
        text = "\n".join([*lines, stop, ""])
        return AlertLetter(mail.mail_id, row.address, subject, text, as_html(text), stop)

    def _job_url(self, job_id: str) -> str:
        ticket = self._tickets.issue(job_id, int(time.time()) + LINK_DAYS * 86_400)
        return f"{self._base_url}{page_path(ticket)}"


class _Writing:
    """One message in one language."""

    def __init__(self, row: AlertAddress, texts: Mapping[str, str]) -> None:
        self.row, self.texts = row, texts

    def confirmation(self, links: AlertLinks) -> tuple[str, list[str]]:
        """Subject, and the lines before the link that unsubscribes."""
        texts, owner = self.texts, self.row.owner
        lines = [
            texts["confirm_asked"].format(owner=owner),
            links.confirm_url(self.row.address_id),
            "",
            texts["confirm_holds"].format(days=CONFIRM_DAYS),
            "",
            texts["confirm_ignore"],
        ]
        return texts["confirm_subject"].format(owner=owner), lines

    def alert(self, news: News, urls: Mapping[str, str]) -> tuple[str, list[str]]:
        """Subject, and the lines before the link that unsubscribes."""
        lines = [self.texts["since"], ""]
        for kind, count in (("failed", news.failed), ("incomplete", news.incomplete)):
            if count:
                ids = news.ids.get(kind, [])
                lines += [f"{self._counted(kind, count)}:", *self._jobs(news, ids, urls)]
                lines += [self.texts["more"].format(count=self._number(count - len(ids)))] if count > len(ids) else []
                lines.append("")
        for one in news.limits:
            singular, plural = WORDS[one.field]
            words = shown(singular if one.limit == 1 else plural)
            text = self.texts["reached" if one.level > 1 else "near"]
            lines += [
                f"{text.format(used=self._number(one.used), limit=self._number(one.limit), words=words)} ({moment(one.at_ms)})",
                "",
            ]
        if news.waiting:
            since = moment(news.waiting.since_ms)
            lines.append(f"{self.texts['waiting'].format(moment=since, minutes=self.row.waiting_minutes)}:")
            lines += [*self._jobs(news, [news.waiting.job_id], urls), ""]
        if urls:
            lines += [self.texts["links_hold"].format(days=LINK_DAYS), ""]
        lines += [
            "--",
            self.texts["why"].format(address=self.row.address, owner=self.row.owner, minutes=self.row.every_minutes),
            self.texts["stop"],
        ]
        return f"{self.row.owner}: {', '.join(list(self._facts(news))[:SUBJECT_FACTS])}", lines

    def _facts(self, news: News) -> Iterator[str]:
        for kind, count in (("failed", news.failed), ("incomplete", news.incomplete)):
            if count:
                yield self._counted(f"short_{kind}", count)
        if news.limits:
            yield self.texts["short_reached" if any(one.level > 1 for one in news.limits) else "short_near"]
        if news.waiting:
            yield self.texts["short_waiting"]

    def _counted(self, name: str, count: int) -> str:
        return self.texts[f"{name}_{'one' if count == 1 else 'many'}"].format(count=self._number(count))

    def _jobs(self, news: News, ids: list[str], urls: Mapping[str, str]) -> Iterator[str]:
        for job_id in ids:
            line = news.jobs.get(job_id)
            when = f", {moment(line.ended_ms)}" if line and line.ended_ms else ""
            yield f"- {job_id}{when}"
            yield f"  {urls.get(job_id) or self.texts['unlinked' if line else 'gone']}"

    def _number(self, number: int) -> str:
        text = f"{number:,}"
        return text.replace(",", ".") if self.row.language == "de" else text


def moment(at_ms: int) -> str:
    """A moment as it is written in messages, whose readers' zones are not known."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def as_html(text: str) -> str:
    """The same for programs that show HTML: paragraphs, and links that can be followed."""
    paragraphs = []
    for block in text.strip().split("\n\n"):
        lines = [_linked(line) for line in block.split("\n")]
        paragraphs.append(Markup("<p>{}</p>").format(Markup("<br>\n").join(lines)))
    return str(Markup("\n").join(paragraphs))


def _linked(line: str) -> Markup:
    last, parts = 0, Markup()
    for found in URL.finditer(line):
        parts += escape(line[last : found.start()]) + Markup('<a href="{0}">{0}</a>').format(found[0])
        last = found.end()
    return parts + escape(line[last:])
