"""Choice of language and time zone for a request: the user's own, else what the browser asks for."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from dashboard.auth import User
from dashboard.zones import UTC_NAME, use_zone, zone_names
from service.lib.languages import LANGUAGES, language_of, use_language

LANGUAGE_COOKIE = "offload_language"
ZONE_COOKIE = "offload_zone"

BROWSER_ZONE_COOKIE = "offload_browser_zone"
"""Zone of the browser, which static/times.js writes: no header tells it."""

A_YEAR_S = 31_536_000

PATH = "/admin"


def chosen(connection: ASGIConnection[Any, Any, Any, Any], user: User | None) -> tuple[str, str]:
    """Language and zone that the user has chosen; each is empty for what the browser asks for."""
    if user is not None and user.stored:
        language, zone = user.language, user.zone
    else:
        language, zone = (connection.cookies.get(name, "") for name in (LANGUAGE_COOKIE, ZONE_COOKIE))
    # A cookie may be from another release, or made up.
    return language if language in LANGUAGES else "", zone if zone in zone_names() else ""


def apply_choice(connection: ASGIConnection[Any, Any, Any, Any], user: User | None = None) -> None:
    """Show the texts and times of this request in the user's language and zone."""
    language, zone = chosen(connection, user)
    use_language(language_of(connection.headers.get("accept-language", ""), language))
    use_zone(zone or browser_zone(connection))


def browser_zone(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Zone of the browser; UTC until its first page has told it."""
    name = connection.cookies.get(BROWSER_ZONE_COOKIE, "")
    return name if name in zone_names() else UTC_NAME


def choice_cookies(language: str, zone: str, *, secure: bool) -> list[Cookie]:
    """Cookies that keep a choice for a user without a row; an empty one ends it."""
    return [
        Cookie(
            key=key,
            value=value,
            path=PATH,
            max_age=A_YEAR_S if value else 0,
            httponly=True,
            samesite="lax",
            secure=secure,
        )
        for key, value in ((LANGUAGE_COOKIE, language), (ZONE_COOKIE, zone))
    ]
