"""Templates of mail at the dashboard: written, tried on a recipient, and removed, by operators."""

from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from markupsafe import escape
from sqlalchemy import delete

from service.database import Template, User
from service.mail.templates import TemplateRows
from service.monitoring.audit_log import AuditFilter
from tasks.mail.template import Source
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.made import Maker

WORDS = {
    "name": "News <b>of</b> May",
    "subject": "Hello {{ user.name }}",
    "html": "<style>p { color: red }</style>\n<p>Hi {{ user.name }}</p><script>alert(1)</script>",
    "text": "\nHi {{ user.name }}",
}
SOURCE = Source(WORDS["subject"], WORDS["html"], WORDS["text"])

Make = Callable[..., Awaitable[str]]


@pytest.fixture
def rows(made: Maker) -> TemplateRows:
    return TemplateRows(made.services.database)


@pytest_asyncio.fixture(loop_scope="session")
async def make(made: Maker, rows: TemplateRows) -> Make:
    """An empty list of templates, one user whose name is markup, and a maker of templates."""
    async with made.services.database.writing() as session:
        await session.execute(delete(Template))
        values = {"email": "zoe@example.com", "active": True, "locale": "de", "plan": "free", "digest": False}
        await session.merge(User(id=7, name="Zoë <Z>", **values))

    async def one(name: str = WORDS["name"], owner: str = "acme") -> str:
        return (await rows.create(owner, name, SOURCE)).template_id

    return one


async def test_a_template_is_made_changed_and_deleted(operator: Client, made: Maker, make: Make, rows) -> None:
    answer = await act(operator, "/admin/templates", **WORDS, as_owner="acme")
    assert answer.status_code == 303, answer.text
    template_id = answer.headers["location"].removeprefix("/admin/templates/").partition("?")[0]
    stored = await rows.get(template_id, "acme")
    assert {name: getattr(stored, name) for name in WORDS} == WORDS
    assert str(escape(WORDS["name"])) in (await operator.get("/admin/templates")).text
    form = (await operator.get(f"/admin/templates/{template_id}/edit")).text
    assert str(escape(WORDS["html"])) in form
    answer = await act(operator, f"/admin/templates/{template_id}/edit", **WORDS | {"text": "One\r\nTwo"})
    assert answer.status_code == 303
    assert (await rows.get(template_id, "acme")).text == "One\nTwo"
    assert (await act(operator, f"/admin/templates/{template_id}/delete")).status_code == 303
    assert (await operator.get(f"/admin/templates/{template_id}")).status_code == 404
    assert await rows.list("acme") == []
    lines = (await made.services.audit.page(AuditFilter(actor="admin"), limit=3)).events
    assert [line.action for line in reversed(lines)] == ["template.created", "template.changed", "template.deleted"]
    assert [(line.target_type, line.target_id) for line in lines[:2]] == [("template", template_id)] * 2
    assert lines[-1].detail == f"{template_id} {WORDS['name']} for acme"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"html": "<p>\n{% if %}"}, "(html, line 2): Expected an expression"),
        ({"text": "\n\n{{ company }}"}, "(text, line 3): there is no variable company"),
        ({"subject": " "}, "subject is empty"),
        ({"name": ""}, "name must not be empty."),
        ({"name": "n" * 256}, "name must have at most 255 characters."),
        ({"as_owner": "nobody"}, "There is no owner nobody."),
    ],
)
async def test_one_that_does_not_work_is_shown_again_with_line_and_reason(
    operator: Client, make: Make, rows, changes: dict[str, str], sentence: str
) -> None:
    typed = WORDS | changes
    answer = await act(operator, "/admin/templates", **typed)
    assert answer.status_code == 400 and sentence in answer.text
    for name in WORDS:
        assert str(escape(typed[name])) in answer.text
    assert await rows.page(1) == []


async def test_a_change_that_does_not_work_changes_nothing(operator: Client, make: Make, rows) -> None:
    template_id = await make()
    answer = await act(operator, f"/admin/templates/{template_id}/edit", **WORDS | {"subject": "{{ user.nick }}"})
    assert answer.status_code == 400 and "user has no nick" in answer.text
    assert (await rows.get(template_id, "acme")).subject == WORDS["subject"]


async def test_a_preview_is_what_one_chosen_user_would_get(operator: Client, make: Make) -> None:
    here = f"/admin/templates/{await make()}"
    page = await operator.get(f"{here}?user_id=7")
    assert page.status_code == 200
    assert "Hello Zoë &lt;Z&gt;" in page.text and 'sandbox=""' in page.text
    assert f'src="{here}/message?user_id=7"' in page.text
    assert page.headers["content-security-policy"].endswith("frame-src 'self'")
    made_up = await operator.get(here)
    assert "Hello Ada Lovelace" in made_up.text and "Zoë" not in made_up.text


async def test_its_html_is_a_document_that_can_do_nothing(operator: Client, make: Make) -> None:
    answer = await operator.get(f"/admin/templates/{await make()}/message?user_id=7")
    assert '<p style="color: red;">Hi Zoë &lt;Z&gt;</p>' in answer.text
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[:2] == ["sandbox", "default-src 'none'"]
    assert not [rule for rule in policy if rule.startswith("script-src")]
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize(
    ("requested", "status_code", "sentence"),
    [
        ("99", 404, "There is no user 99."),
        ("ada", 400, "There is no user ada: an id"),
        ("9" * 19, 404, "There is no user"),
    ],
)
async def test_a_recipient_who_is_not_there_is_named(
    operator: Client, make: Make, requested, status_code, sentence
) -> None:
    here = f"/admin/templates/{await make()}"
    page = await operator.get(here, params={"user_id": requested})
    assert page.status_code == status_code and sentence in page.text
    document = await operator.get(f"{here}/message", params={"user_id": requested})
    assert document.status_code == status_code and sentence in document.text


async def test_a_viewer_reads_templates_but_neither_changes_them_nor_sees_a_user(operator: Client, make: Make) -> None:
    here = f"/admin/templates/{await make()}"
    given = await token(operator)
    operator.auth = VIEWER
    page = await operator.get(here)
    assert page.status_code == 200 and 'method="post"' not in page.text and "Ada Lovelace" in page.text
    assert (await operator.get(f"{here}/message")).status_code == 200
    for hidden in (f"{here}?user_id=7", f"{here}/message?user_id=7", f"{here}/edit", "/admin/templates/new"):
        assert (await operator.get(hidden)).status_code == 403
    for address in ("/admin/templates", f"{here}/edit", f"{here}/delete"):
        assert (await operator.post(address, data=WORDS | {"csrf": given})).status_code == 403


async def test_a_form_without_its_token_changes_nothing(operator: Client, make: Make, rows) -> None:
    template_id = await make()
    for address in (
        "/admin/templates",
        f"/admin/templates/{template_id}/edit",
        f"/admin/templates/{template_id}/delete",
    ):
        assert (await operator.post(address, data=WORDS | {"csrf": "forged"})).status_code == 403
    assert [row.template_id for row in await rows.page(9)] == [template_id]


async def test_the_list_has_pages(operator: Client, make: Make) -> None:
    ids = [await make(f"Letter {number}") for number in range(51)]
    first = (await operator.get("/admin/templates")).text
    shown = [one for one in ids if one in first]
    assert len(shown) == 50 and ids[-1] in shown
    older = (await operator.get("/admin/templates", params={"before": ids[1]})).text
    assert ids[0] in older and ids[1] not in older
    assert (await operator.get("/admin/templates?before=nonsense")).status_code == 404
