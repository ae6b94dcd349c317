"""GET and POST /admin/preferences: language and time zone of the user."""

import contextlib
from typing import Any

from litestar import Request, get, post
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from dashboard.audit_middleware import ACTION
from dashboard.auth import User
from dashboard.csrf import FOR_VIEWERS
from dashboard.flash_messages import NOTICES
from dashboard.preferences.choice import browser_zone, choice_cookies, chosen
from dashboard.rendering import render
from dashboard.zones import zone_names
from service.access.users import NoSuchUser
from service.api.dependencies import ServicesDep
from service.lib.languages import LANGUAGES

SHOWN_CHARACTERS = 60
"""Of a name that is refused."""


@get("/preferences", name="preferences")
async def preferences_page(request: Request[User, Any, Any], notice: FromQuery[str] = "") -> Template:
    """The form, with what is chosen now."""
    return _shown(request, *chosen(request, request.user), notice=notice)


@post("/preferences", status_code=303, opt={ACTION: "preferences.chosen", FOR_VIEWERS: True})
async def set_preferences(request: Request[User, Any, Any], services: ServicesDep) -> Template | Redirect:
    """Keep the choice. 400 and the form again for a language or a zone that does not exist."""
    form = await request.form()
    language, zone = (str(form.get(field, "")).strip() for field in ("language", "zone"))
    wrong = ""
    if zone and zone not in zone_names():
        wrong = f"There is no time zone {zone[:SHOWN_CHARACTERS]}: a name is like Europe/Berlin."
    elif language and language not in LANGUAGES:
        wrong = f"There is no language {language[:SHOWN_CHARACTERS]} here: there are {', '.join(LANGUAGES)}."
    if wrong:
        return _shown(request, language, zone, wrong=wrong)
    cookies = []
    if request.user.stored:
        # One that was removed in the meantime: the next page asks who it is.
        with contextlib.suppress(NoSuchUser):
            await services.users.choose(request.user.name, language=language, zone=zone)
    else:
        cookies = choice_cookies(language, zone, secure=request.url.scheme == "https")
    return Redirect("/admin/preferences?notice=preferences-saved", status_code=303, cookies=cookies)


def _shown(
    request: Request[User, Any, Any], language: str, zone: str, *, notice: str = "", wrong: str = ""
) -> Template:
    return render(
        request,
        "preferences/page.html",
        status_code=400 if wrong else 200,
        zones=sorted(zone_names()),
        chosen_language=language,
        chosen_zone=zone,
        browser_zone=browser_zone(request),
        wrong=wrong,
        notice=NOTICES.get(notice),
    )
