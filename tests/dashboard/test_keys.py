"""The page of API keys: made once seen once, rotated, revoked, written down, and for operators only."""

import re

import pytest
import pytest_asyncio
from sqlalchemy import delete

from service.database import ApiKey
from service.monitoring.audit_log import AuditFilter
from tests.dashboard.conftest import VIEWER, Client, act, token
from tests.dashboard.made import Maker

FORM = {"owner": "acme", "name": "web app", "scopes": "submit", "types": "pdf-ocr", "days": "30"}


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_others(made: Maker) -> None:
    async with made.services.database.writing() as session:
        await session.execute(delete(ApiKey))


def secret_on(page: str) -> str:
    found = re.search(r'id="secret-text">(offload_[^<]+)<', page)
    assert found, "the page shows no secret"
    return found[1]


async def test_a_key_is_made_and_its_secret_is_shown_once(operator: Client, made: Maker) -> None:
    empty = (await operator.get("/admin/keys")).text
    assert "No keys in the database" in empty and "for acme, globex" in empty
    answer = await act(operator, "/admin/keys", **FORM)
    assert answer.status_code == 201 and answer.headers["cache-control"] == "no-store"
    secret = secret_on(answer.text)
    key = await made.services.api_keys.find(secret)
    assert key is not None and (key.owner, key.created_by, key.expires_at is None) == ("acme", "admin", False)
    assert (key.scope_set, key.type_set) == ({"submit"}, {"pdf-ocr"})
    page = (await operator.get("/admin/keys")).text
    assert secret not in page and f"{secret[:12]}…" in page and "pdf-ocr only" in page
    assert key.key_id not in (await operator.get("/admin/keys?owner=globex")).text
    (line,) = (await made.services.audit.page(AuditFilter(action="key.created"))).events[:1]
    assert (line.actor, line.owner) == ("admin", "acme") and key.key_id in str(line.detail)
    assert secret not in str(line.detail)


async def test_a_key_is_rotated_and_revoked(operator: Client, made: Maker) -> None:
    first = secret_on((await act(operator, "/admin/keys", **FORM)).text)
    old = await made.services.api_keys.find(first)
    assert old is not None
    here = f"/admin/keys/{old.key_id}"
    assert (await act(operator, f"{here}/rotate", overlap="7")).status_code == 400
    second = secret_on((await act(operator, f"{here}/rotate", overlap="60")).text)
    assert await made.services.api_keys.find(first) and await made.services.api_keys.find(second)
    answer = await act(operator, f"{here}/revoke")
    assert answer.status_code == 303 and await made.services.api_keys.find(first) is None
    again = await act(operator, f"{here}/revoke")
    assert again.status_code == 409 and "was revoked already" in again.text
    assert (await act(operator, "/admin/keys/key-none/revoke")).status_code == 404
    actions = [line.action for line in (await made.services.audit.page(AuditFilter(target=old.key_id))).events]
    assert actions.count("key.revoked") == 2 and "key.rotated" in actions


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"owner": " "}, "The owner of a key is 1 to 255 printable characters."),
        ({"scopes": "fly"}, "fly is not a scope"),
        ({"types": "knit"}, "There is no job type knit."),
        ({"days": "-1"}, "A key expires never, in 30 days"),
    ],
)
async def test_what_makes_no_key_is_a_sentence_and_stays_typed(
    operator: Client, changed: dict[str, str], sentence: str
) -> None:
    answer = await act(operator, "/admin/keys", **FORM | changed)
    assert answer.status_code == 400 and sentence in answer.text and 'value="web app"' in answer.text
    assert "No keys in the database" in (await operator.get("/admin/keys")).text


async def test_viewers_neither_see_nor_make_keys(operator: Client) -> None:
    given = await token(operator)
    assert 'href="/admin/keys"' in (await operator.get("/admin/queues")).text
    operator.auth = VIEWER
    assert (await operator.get("/admin/keys")).status_code == 403
    assert 'href="/admin/keys"' not in (await operator.get("/admin/queues")).text
    assert (await operator.post("/admin/keys", data={"csrf": given, **FORM})).status_code == 403
