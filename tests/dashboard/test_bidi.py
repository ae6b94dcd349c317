"""Hostile names and texts on pages: signs that turn the direction of writing, and what a template or a format would obey."""

import re
from urllib.parse import quote

import pytest
from markupsafe import escape

from dashboard.bidi import visible_signs
from service.database.saved_views import SavedViews
from tests.dashboard.conftest import Client, act
from tests.dashboard.documents import stored
from tests.dashboard.made import Anything, Maker
from tests.dashboard.test_log import logged

RLO = "\u202e"
INJECTED = "{{7*7}} ${{7*7}} {% if %} {0} {name} %s %(x)s <b>"
HOSTILE = f"invoice{RLO}fdp.exe {INJECTED}"
SHOWN = str(escape(f"invoice⟨U+202E⟩fdp.exe {INJECTED}"))


def test_signs_are_shown_in_text_and_in_what_is_heard_and_stay_in_fields() -> None:
    page = f'<a href="/x?n={RLO}" title="a{RLO}b">c{RLO}d\u2067e\u2069</a><input value="{RLO}"><textarea>f{RLO}g</textarea>'
    assert visible_signs(page) == (
        f'<a href="/x?n={RLO}" title="a⟨U+202E⟩b">c⟨U+202E⟩d⟨U+2067⟩e⟨U+2069⟩</a><input value="{RLO}">'
        f"<textarea>f{RLO}g</textarea>"
    )
    hebrew = "<p>\u05e9\u05dc\u05d5\u05dd\u200f!</p>"
    assert visible_signs(hebrew) == hebrew


@pytest.mark.parametrize("language", ["en", "de"])
async def test_a_hostile_text_is_shown_as_it_is_on_every_page_that_shows_it(
    operator: Client, made: Maker, language: str
) -> None:
    operator.headers["Accept-Language"] = language
    document = await stored(made, HOSTILE)
    assert document.name == f"invoicefdp.exe {INJECTED}", "a name is cleaned when it comes"
    job = await made.active(payload=Anything(file_id=document.file_id, email=HOSTILE), owner=HOSTILE)
    await logged(made, job.id, ("error", HOSTILE, {"who": HOSTILE}))
    failed = await made.failed(job, error=HOSTILE, traceback=HOSTILE)
    running = await made.active(owner=HOSTILE)
    await made.progressed(running, 40, HOSTILE)
    await made.store.controls.set("thumbnails", "pause", reason=HOSTILE, by="ada")
    (group,) = await made.store.error_groups.list()
    for path in (
        "queues",
        "queues/thumbnails",
        "jobs",
        f"jobs?owner={quote(HOSTILE)}",
        f"jobs?where={quote('error:' + chr(34) + HOSTILE + chr(34))}",
        f"jobs/{failed}",
        f"jobs/{failed}/log",
        f"jobs/{failed}/edit",
        f"jobs/{running.id}",
        f"operations/new?kind=retry&status=failed&owner={quote(HOSTILE)}",
        f"owners/{quote(HOSTILE)}",
        "errors",
        f"errors/{group.fingerprint}",
    ):
        answer = await operator.get(f"/admin/{path}")
        assert answer.status_code == 200, (path, answer.text)
        without_fields = re.sub(
            r'\s(value|href|hx-\w+|action|data-\w+)="[^"]*"|<textarea.*?</textarea>', "", answer.text, flags=re.S
        )
        assert RLO not in without_fields, path
        assert SHOWN in without_fields or path.endswith("/edit"), path
        assert "{{7*7}}" in answer.text and INJECTED not in answer.text, path


async def test_a_view_is_not_given_a_name_that_turns_the_direction_of_writing(operator: Client, made: Maker) -> None:
    refused = await act(operator, "/admin/views", **{"view-name": f"mine{RLO}"}, status="failed")
    assert refused.status_code == 400 and "turns the direction of writing" in refused.text
    saved = await act(operator, "/admin/views", **{"view-name": INJECTED}, status="failed")
    assert saved.status_code == 303
    assert str(escape(INJECTED)) in (await operator.get("/admin/views")).text
    views = SavedViews(made.services.database)
    for view in await views.of("admin"):
        await views.delete(view)
