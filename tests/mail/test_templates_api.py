"""/api/templates and the unsubscribe links, over HTTP."""

import re

import pytest
from sqlalchemy import select

from service.database import Database, Suppression
from service.mail.wiring import links
from settings import load_settings
from tasks.mail.template import compiled
from tests.mail.campaigning import WORDS, make_template
from tests.mail.conftest import Served, add_users, user


@pytest.fixture
def database(served: Served) -> Database:
    return served.services.database


@pytest.mark.both_databases
async def test_a_template_is_made_read_replaced_and_deleted(acme) -> None:
    answer = await acme.post("/api/templates", json=WORDS)
    assert answer.status_code == 201
    made = answer.json()
    assert made["template_id"].startswith("template-") and made["subject"] == WORDS["subject"]
    assert (await acme.get(f"/api/templates/{made['template_id']}")).json() == made
    assert (await acme.get("/api/templates")).json() == {"templates": [made]}
    changed = await acme.put(f"/api/templates/{made['template_id']}", json=WORDS | {"subject": "New"})
    assert (changed.status_code, changed.json()["subject"]) == (200, "New")
    assert (await acme.delete(f"/api/templates/{made['template_id']}")).status_code == 204
    assert (await acme.get(f"/api/templates/{made['template_id']}")).status_code == 404


async def test_another_owner_sees_none_of_it(acme, globex, anonymous) -> None:
    template_id = await make_template(acme)
    position = f"/api/templates/{template_id}"
    answers = [
        await globex.get(position), await globex.put(position, json=WORDS), await globex.delete(position),
        await globex.post(f"{position}/preview", json={"user_id": 1}),
        await globex.post("/api/jobs/email-batch", json={"segment": "active", "template_id": template_id}),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404] * 5
    assert (await globex.get("/api/templates")).json() == {"templates": []}
    assert (await anonymous.get("/api/templates")).status_code == 401
    assert (await acme.get(position)).json()["subject"] == WORDS["subject"]


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"html": "<p>\n{% if %}"}, "html", "html, line 2): Expected an expression"),
        ({"text": "\n\n{{ company }}"}, "text", "text, line 3): there is no variable company"),
        ({"subject": "{{ user.nickname }}"}, "subject", "subject, line 1): user has no nickname"),
        ({"text": "\n{{ 1 / 0 }}"}, "text", "text, line 2): division by zero"),
        (
            {"html": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"},
            "html",
            "too long",
        ),
        ({"subject": " "}, "subject", "subject is empty"),
        ({"name": ""}, "name", "must not be empty"),
        ({"name": "news\0"}, "name", "a NUL character"),
        ({"text": "Hi\0"}, "text", "a NUL character"),
        ({"html": 5}, "html", "must be text"),
        ({"colour": "red"}, "colour", "not a field"),
    ],
)
async def test_a_template_that_does_not_work_is_refused_with_line_and_reason(
    acme, changes, field, sentence, monkeypatch
) -> None:
    monkeypatch.setattr("service.api.templates.CHECK_TIMEOUT_S", 3.0)
    answer = await acme.post("/api/templates", json=WORDS | changes)
    assert answer.status_code == 400, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"] == field and sentence in error["message"]
    assert (await acme.get("/api/templates")).json() == {"templates": []}


async def test_every_problem_is_named_at_once(acme) -> None:
    answer = await acme.post("/api/templates", json={"name": "x", "subject": "{{ a }}", "html": "{{ b }}", "text": ""})
    assert [error["field"] for error in answer.json()["errors"]] == ["subject", "html", "text"]


async def test_a_preview_is_what_that_user_would_get(acme, database) -> None:
    await add_users(database, user(5, name="Zoë <Z>"))
    position = f"/api/templates/{await make_template(acme)}/preview"
    answer = await acme.post(position, json={"user_id": 5})
    assert answer.status_code == 200
    assert answer.json()["subject"] == "Hello Zoë <Z>"
    assert '<p style="color: red;">Hi Zoë &lt;Z&gt;</p>' in answer.json()["html"]
    unknown = await acme.post(position, json={"user_id": 6})
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "There is no user 6.")


async def test_a_preview_needs_the_right_to_personal_data_and_unsubscribes_no_one(
    acme, anonymous, database, served
) -> None:
    await add_users(database, user(5))
    place = f"/api/templates/{await make_template(acme)}/preview"
    scopes = ["read", "submit", "operate"]
    _, secret = await served.services.api_keys.create("acme", "a test", created_by="a test", scopes=scopes)
    refused = await anonymous.post(place, json={"user_id": 5}, headers={"Authorization": f"Bearer {secret}"})
    assert (refused.status_code, refused.json()["detail"]) == (
        403, "This API key may not read recipients: it lacks the scope personal.",
    )  # fmt: skip
    preview = await acme.post(place, json={"user_id": 5})
    found = re.search(r"/unsubscribe/\S+", preview.json()["text"])
    assert found is not None and (await anonymous.post(found.group())).status_code == 404
    assert await suppressed(database) == []


async def test_unsubscribing_takes_a_deliberate_click(acme, anonymous, database) -> None:
    await add_users(database, user(5), user(6))
    link = links(load_settings()).url(5).removeprefix(load_settings().links_url)
    answered = await anonymous.get(link)
    assert (
        answered.status_code == 200 and '<form method="post">' in answered.text and "user5@example.com" in answered.text
    )
    assert await suppressed(database) == []
    for _ in range(2):
        done = await anonymous.post(link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
    assert await suppressed(database) == ["user5@example.com"]


async def test_unsubscribing_is_in_the_readers_language(acme, anonymous, database) -> None:
    await add_users(database, user(5))
    link, german = links(load_settings()).url(5).removeprefix(load_settings().links_url), {"Accept-Language": "de-AT"}
    page = await anonymous.get(link, headers=german)
    forged = await anonymous.get("/unsubscribe/forged", headers=german)
    assert "An user5@example.com werden keine Nachrichten mehr gesendet." in page.text
    assert "<button>Abbestellen</button>" in page.text and '<html lang="de">' in page.text
    assert forged.status_code == 404 and "Nicht gefunden" in forged.text and "not valid" not in forged.text
    done = await anonymous.post(link, headers=german)
    assert "<h1>Abbestellt</h1>" in done.text and done.headers["Content-Language"] == "de"


async def suppressed(database: Database) -> list[str]:
    async with database.reading() as session:
        return list(await session.scalars(select(Suppression.address)))


@pytest.mark.parametrize("token", ["5", "5.", "5.AAAAAAAAAAAAAAAAAAAAAAAA", "x.y", "6." + "é" * 5, "." * 300])
async def test_a_link_that_was_not_made_here_does_nothing(anonymous, database, token) -> None:
    await add_users(database, user(5))
    for answer in (await anonymous.get(f"/unsubscribe/{token}"), await anonymous.post(f"/unsubscribe/{token}")):
        assert answer.status_code == 404 and "not valid" in answer.text
    assert await suppressed(database) == []


async def test_no_template_is_compiled_in_the_process_that_answers_requests(acme, database) -> None:
    """Constants can cost seconds and hundreds of MB to compile: that happens in a child, whose time and memory are bounded."""
    await add_users(database, user(5))
    before = compiled.cache_info()
    template_id = await make_template(acme, text="{{ 'a' * 7 }}")
    assert (await acme.post(f"/api/templates/{template_id}/preview", json={"user_id": 5})).status_code == 200
    answer = await acme.post("/api/jobs/email-batch", json={"user_ids": [5], "template_id": template_id})
    assert answer.status_code == 202, answer.text
    assert compiled.cache_info() == before
