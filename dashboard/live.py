"""Pages that keep themselves fresh: one view answers the page and, under /live, the part of it that changes."""

from typing import Any

from litestar import Request

from dashboard.auth import User


def live_or_page(request: Request[User, Any, Any], folder: str) -> str:
    """The template of what was asked for."""
    return f"{folder}/live.html" if request.url.path.endswith("/live") else f"{folder}/page.html"
