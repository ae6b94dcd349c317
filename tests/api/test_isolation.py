"""No one but the owner: every route of the API and its sockets as a stranger, another owner, and with each scope of a key.

The requests are made from the route table and the OpenAPI document, so a new route is among them. One that names a thing by a
parameter that tests/api/world.py does not know fails here until the world has such a thing.
"""

import base64
import re
from collections.abc import Iterator

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute, WebSocketRoute
from websockets.exceptions import ConnectionClosed, InvalidStatus

from service.database.api_keys import Scope
from tests.api.conftest import GLOBEX, Served, _client
from tests.api.hands import Hands
from tests.api.test_job_events import follow
from tests.api.world import PLANTED, Call, World, made_world, state_of_things

SCOPES = {
    ("POST", "/api/jobs/{job_id}/ticket"): {"read"},
    ("GET", "/api/webhooks/callback-secret"): {"submit"},
    ("HEAD", "/api/webhooks/callback-secret"): {"submit"},
    ("GET", "/api/uploads/{upload_id}"): {"submit"},
    ("HEAD", "/api/uploads/{upload_id}"): {"submit"},
    ("POST", "/api/jobs/{job_id}/retry"): {"operate"},
    ("POST", "/api/jobs/{job_id}/cancel"): {"operate"},
    ("DELETE", "/api/jobs/{job_id}"): {"operate"},
    ("DELETE", "/api/files/{file_id}"): {"operate"},
    ("PATCH", "/api/schedules/{schedule_id}"): {"operate"},
    ("DELETE", "/api/schedules/{schedule_id}"): {"operate"},
    ("POST", "/api/workflows/{workflow_id}/cancel"): {"operate"},
    ("POST", "/api/jobs/{job_id}/events/{name}"): {"operate"},
    ("GET", "/api/owner-alerts"): {"read", "personal"},
    ("HEAD", "/api/owner-alerts"): {"read", "personal"},
    ("POST", "/api/templates/{template_id}/preview"): {"submit", "personal"},
}
"""Scopes of routes for which it does not go without saying that reading takes `read`, and everything else `submit`."""

DENIED = "This API key may not"


@pytest.fixture
async def world(acme: httpx.AsyncClient, hands: Hands) -> World:
    return await made_world(acme, hands)


def calls(world: World, app: Litestar) -> Iterator[Call]:
    """All of them, those that delete last: what is gone tests nothing of the ones after it."""
    return iter(sorted(world.calls(app), key=lambda call: call.method == "DELETE"))


async def test_the_document_and_the_route_table_name_the_same_routes(
    app: Litestar, anonymous: httpx.AsyncClient
) -> None:
    document = (await anonymous.get("/schema/openapi.json")).json()
    documented = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    hidden = {
        (route.path_format, method)
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path_format.startswith("/schema")
        for handler in route.route_handlers
        for method in handler.http_methods - {"OPTIONS"}
        if (route.path_format, method) not in documented
    }
    assert hidden == {
        ("/metrics", "GET"),
        ("/docs/errors", "GET"),
        ("/docs/errors/{status_code}", "GET"),
        ("/unsubscribe/{token}", "GET"),
        ("/unsubscribe/{token}", "POST"),
        ("/api/jobs/{job_id}", "POST"),
        ("/api/uploads/{upload_id}", "POST"),
    }


async def test_without_a_key_or_with_a_wrong_one_nothing_answers(
    app: Litestar, world: World, anonymous: httpx.AsyncClient, acme: httpx.AsyncClient
) -> None:
    before, number = await state_of_things(acme, world), 0
    login = base64.b64encode(b"admin:admin-password-1").decode()
    for number, call in enumerate(calls(world, app), 1):
        assert (await call.send(anonymous)).status_code == 401, call
        anonymous.headers["Authorization"] = (f"Basic {login}", "Bearer wrong-key-of-a-stranger")[number % 2]
        assert (await call.send(anonymous)).status_code in (401, 429), call
        del anonymous.headers["Authorization"]
    assert number > 50
    assert await state_of_things(acme, world) == before


async def test_another_owner_finds_none_of_it(
    app: Litestar, world: World, globex: httpx.AsyncClient, acme: httpx.AsyncClient
) -> None:
    before = await state_of_things(acme, world)
    aimed = 0
    for call in calls(world, app):
        answer = await call.send(globex)
        assert answer.status_code < 500, (call, answer.text)
        assert PLANTED not in answer.text, call
        if call.aims:
            aimed += 1
            assert answer.status_code in (400, 404), (call, answer.text)
        elif call.method == "GET":
            assert not [one for one in world.ids.values() if len(one) > 10 and one in answer.text], call
    assert aimed > 30
    assert await state_of_things(acme, world) == before


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_key_of_one_scope_does_what_is_of_that_scope(
    app: Litestar, world: World, served: Served, scope: Scope
) -> None:
    _, secret = await served.services.api_keys.create("acme", "a test", created_by="a test", scopes=[scope])
    unlike = {}
    async with _client(served, f"Bearer {secret}") as client:
        for call in calls(world, app):
            usual = {"read"} if call.method in ("GET", "HEAD") else {"submit"}
            needed = SCOPES.get((call.method, call.route), usual)
            answer = await call.send(client)
            assert answer.status_code < 500, (call, answer.text)
            # The answer to a HEAD has no words.
            denied = answer.status_code == 403 and (call.method == "HEAD" or DENIED in answer.text)
            if denied == (needed <= {scope}):
                unlike[call.method, call.route] = answer.status_code
    assert unlike == {}


async def test_a_key_for_one_job_type_meets_no_job_of_another(app: Litestar, world: World, served: Served) -> None:
    _, secret = await served.services.api_keys.create("acme", "a test", created_by="a test", job_types=["thumbnails"])
    async with _client(served, f"Bearer {secret}") as client:
        for call in calls(world, app):
            answer = await call.send(client)
            if re.search(r"\{(job|schedule|workflow)_id\}", call.route):
                assert answer.status_code == 404, call
            elif call.method == "POST" and call.route.startswith("/api/jobs/") and call.route != "/api/jobs/batch":
                assert (answer.status_code == 403) == (call.route != "/api/jobs/thumbnails"), (call, answer.text)
            elif call.method == "GET":
                assert not re.search(r"(pdf-ocr|csv-export)-[0-9a-f]{8}", answer.text), (call, answer.text)


async def test_sockets_open_for_the_owner_alone(app: Litestar, world: World, served: Served) -> None:
    sockets = [route.path_format for route in app.routes if isinstance(route, WebSocketRoute)]
    assert sockets == ["/api/jobs/{job_id}/events"], "a new socket: follow it here, too"
    job_id, api_keys = world.ids["job_id"], served.services.api_keys
    _, submits = await api_keys.create("acme", "a test", created_by="a test", scopes=["submit"])
    _, typed = await api_keys.create("acme", "a test", created_by="a test", job_types=["csv-export"])
    ticket = served.services.tickets.issue("pdf-ocr-another", 2**31)
    for key in (None, "wrong-key", submits, typed, ticket):
        with pytest.raises(InvalidStatus) as refused:
            async with follow(served, job_id, key=key):
                pass
        assert refused.value.response.status_code == 403
    async with follow(served, job_id, key=GLOBEX) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4404
    async with follow(served, job_id) as socket:
        assert PLANTED not in str(await socket.recv())
