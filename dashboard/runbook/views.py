"""GET /admin/runbook: docs/runbook.md as a page, with a section for each alert rule, which alerts link to."""

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

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"

HEADING = re.compile(r"<h2>([a-z0-9-]+)</h2>")
ELSEWHERE = re.compile(r'<a href="[a-z-]+\.md[^"]*">(.*?)</a>')
"""Links to other documents, which the dashboard does not show."""

PAGES = re.compile(r"<code>(/admin/[a-z/?=&;-]+)</code>")
"""Addresses of pages here, without a place for a name."""

TITLE = re.compile(r"<h1>.*?</h1>", re.DOTALL)


@get("/runbook", name="runbook", sync_to_thread=False)
def runbook_page(request: Request[User, Any, Any]) -> Template:
    """The runbook of this release."""
    return render(request, "runbook/page.html", text=runbook_html())


@cache
def runbook_html() -> str:
    """The runbook's text, each section under its rule's name. Raises NotFoundException where it is not installed."""
    try:
        text = RUNBOOK.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFoundException("The runbook is not a part of this installation: see docs/runbook.md.") from None
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    html = ELSEWHERE.sub(r"\1", TITLE.sub("", html, count=1))
    html = PAGES.sub(r'<a href="\1">\1</a>', html)
    return HEADING.sub(r'<h2 id="\1">\1</h2>', html)
