"""Headers of a proxy: whom they name, whose count, and who is connected."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from httpx import AsyncClient, AsyncHTTPTransport
from litestar import Litestar, Request, get
from structlog.testing import capture_logs

from service.access.proxy_headers import PEER, BadHeaders, NotesPeer, Person, Visitors, believed, person_of
from settings.access import parse_networks
from settings.proxy_auth import Headers
from tests.waiting import LIMIT_S, wait_until_async

NAMES = Headers("x-user", "x-email", "x-groups")


def test_a_person_has_a_name_an_address_and_groups() -> None:
    groups = "ops, mail team ,,büro".encode()
    sent = [(b"X-User", "Zoë".encode()), (b"x-email", b"zoe@example.com"), (b"x-groups", groups), (b"cookie", b"\xff")]
    assert person_of(sent, NAMES) == Person("Zoë", "zoe@example.com", ("ops", "mail team", "büro"))
    assert person_of([(b"x-user", b"auth0|1"), (b"x-email", b"a@b.example")], NAMES) == Person(
        "a@b.example", "a@b.example", ()
    )
    assert person_of([(b"x-email", b"a@b.example"), (b"x-groups", b"ops")], NAMES) is None
    by_email = Headers("x-user", "x-email", "x-email")
    assert person_of([(b"x-user", b"a"), (b"x-email", b"a@b.example")], by_email) == Person(
        "a", "a@b.example", ("a@b.example",)
    )


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ([("x-user", b"ada"), ("x-user", b"ada")], "The header x-user came twice, so it is not the proxy's alone."),
        ([("x-user", b"ada"), ("X-Groups", b"a"), ("x-groups", b"b")], "The header x-groups came twice"),
        ([("x-user", b"")], "The header x-user is empty."),
        ([("x-user", b"  ")], "The header x-user is empty."),
        ([("x-user", b"a\tb")], "The header x-user holds a control character."),
        ([("x-user", b"ada"), ("x-groups", b"ops\x00")], "The header x-groups holds a control character."),
        ([("x-user", b"a" * 1_025)], "The header x-user has more than 1,024 characters."),
        ([("x-user", b"ada"), ("x-groups", b"g" * 16_385)], "The header x-groups has more than 16,384 characters."),
        ([("x-user", b"\xff")], "The header x-user is not UTF-8."),
        ([("x-user", b"mallory,ada")], "The header x-user holds a comma, as where two were joined."),
        ([("x-user", b"auth0|1"), ("x-email", b"m@x.example,a@b.example")], "The header x-email holds a comma"),
        ([("x-user", b"a:b")], "The header x-user holds no name that can be used"),
        ([("x-user", b"a" * 256)], "The header x-user holds no name that can be used"),
    ],
)
def test_headers_that_the_proxy_cannot_have_meant(sent: list[tuple[str, bytes]], sentence: str) -> None:
    with pytest.raises(BadHeaders) as caught:
        person_of([(name.encode(), value) for name, value in sent], NAMES)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("peer", "counts"),
    [
        ("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.2.0.1", False), ("2001:db8::7", True), ("2001:db8::8", False),
        ("", False), (None, False), ("proxy", False), ("::ffff:10.2.0.1", False),
    ],
)  # fmt: skip
def test_a_proxy_is_known_by_its_address(peer: str | None, *, counts: bool) -> None:
    assert believed(peer, parse_networks("10.1.0.0/16,2001:db8::7")) is counts


def test_a_visit_is_noted_once_and_again_after_a_pause() -> None:
    visitors = Visitors(3_600)
    assert [visitors.comes("ada", "here"), visitors.comes("ada", "here"), visitors.comes("ada", "there")] == [
        True, False, True,
    ]  # fmt: skip
    gone = Visitors(-1)
    assert [gone.comes("ada"), gone.comes("ada")] == [True, True]


@get("/peer", sync_to_thread=False)
def peer_and_client(request: Request[Any, Any, Any]) -> list[str | None]:
    return [request.scope["state"][PEER], request.scope["client"][0]]  # type: ignore[index]  # it has come over TCP


@asynccontextmanager
async def serving(http: Any, around: Callable[[Any], Any] = lambda app: app) -> AsyncIterator[AsyncClient]:
    """A client with the address 127.0.0.2 of a server that believes all of X-Forwarded-For."""
    app = Litestar([peer_and_client])
    app.asgi_handler = NotesPeer(app.asgi_handler)
    server = uvicorn.Server(
        uvicorn.Config(around(app), port=0, http=http, log_level="warning", forwarded_allow_ips="*")
    )
    running = asyncio.create_task(server.serve())
    await wait_until_async(lambda: server.started or running.done())
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    async with AsyncClient(
        base_url=url, timeout=LIMIT_S, transport=AsyncHTTPTransport(local_address="127.0.0.2")
    ) as client:
        yield client
    server.should_exit = True
    await running


@pytest.mark.parametrize("http", ["h11", "httptools"])
async def test_the_peer_is_the_connections_whatever_x_forwarded_for_says(http: str) -> None:
    async with serving(http) as client:
        for _ in range(2):
            answer = await client.get("/peer", headers={"x-forwarded-for": "127.0.0.1"})
            assert answer.json() == ["127.0.0.2", "127.0.0.1"]


async def test_a_server_that_does_not_show_its_connections_is_noted_and_has_no_peer() -> None:
    def hidden(app: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            async def other() -> Any:
                return await receive()

            await app(scope, other, send)

        return outer

    with capture_logs() as logs:
        async with serving("h11", hidden) as client:
            for _ in range(2):
                assert (await client.get("/peer")).json()[0] is None
    assert [line["event"] for line in logs] == ["proxy_auth.peer_unknown"]
