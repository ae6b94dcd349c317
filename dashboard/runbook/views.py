"""GET /admin/runbook: docs/runbook.md as a page, with a section for each alert rule, which alerts link to; and
GET /admin/jobs/language: the language of the filter."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, get
from litestar.exceptions import NotFoundException
from litestar.response import Template
from markdown_it import MarkdownIt

from dashboard.auth import User
from dashboard.rendering import render
from service.lib.languages import ENGLISH, current_language

DOCS = Path(__file__).parents[2] / "docs"

RUNBOOK, LANGUAGE = "runbook.md", "finding-jobs.md"
"""Documents that pages show; docs/<language>/ has them in other languages."""

HEADING = re.compile(r"<h2>([a-z0-9-]+)</h2>")
ELSEWHERE = re.compile(r'<a href="(?:\.\./)?[a-z-]+\.md[^"]*">(.*?)</a>')
"""Links to other documents, which the dashboard does not show."""

ANCHOR = re.compile(r'<a href="#[^"]*">(.*?)</a>')
"""Links within a document whose headings have no names here."""

PAGES = re.compile(r"<code>(/admin/(?![^<]*&lt;)[a-z/?=&;-]+)</code>")
"""Addresses of pages here, without a place for a name."""

TITLE = re.compile(r"<h1>.*?</h1>", re.DOTALL)


@get("/runbook", name="runbook", sync_to_thread=False)
def runbook_page(request: Request[User, Any, Any]) -> Template:
    """The runbook of this release."""
    path = _path(RUNBOOK)
    return render(request, "runbook/page.html", text=runbook_html(path), language=_language_of(path))


@get("/jobs/language", name="job-language", sync_to_thread=False)
def language_page(request: Request[User, Any, Any]) -> Template:
    """The language that finds jobs: docs/finding-jobs.md."""
    path = _path(LANGUAGE)
    return render(request, "runbook/language.html", text=document_html(path), language=_language_of(path))


def _path(name: str) -> Path:
    """The document in the reader's language, the English one where there is no other."""
    language = current_language()
    translated = DOCS / language / name
    return translated if language != ENGLISH and translated.is_file() else DOCS / name


def _language_of(path: Path) -> str:
    return ENGLISH if path.parent == DOCS else path.parent.name


@cache
def runbook_html(path: Path) -> str:
    """The runbook's text, each section under its rule's name. Raises NotFoundException where it is not installed."""
    return HEADING.sub(r'<h2 id="\1">\1</h2>', document_html(path))


@cache
def document_html(path: Path) -> str:
    """The text of one of docs/, without its title. Raises NotFoundException where it is not installed."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundException(f"This installation comes without its documents: see docs/{path.name}.") from None
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    html = ELSEWHERE.sub(r"\1", TITLE.sub("", html, count=1))
    html = ANCHOR.sub(r"\1", html)
    return PAGES.sub(r'<a href="\1">\1</a>', html)
