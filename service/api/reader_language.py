"""Sentences of the API in the language that a request asks for: English where it asks for none, to the letter."""

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from service.lib.languages import ENGLISH, Reader, language_of, reader, use_language

QUERY = b"lang="
"""`?lang=de`, for EventSource and WebSocket, whose headers a page cannot set."""


def wanted_language(scope: Scope) -> str:
    """The language of a request or a socket: that of `?lang=`, else the best of Accept-Language."""
    header = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    query: bytes = scope.get("query_string", b"")
    query_value = b""
    if QUERY in query:
        query_value = next((one[len(QUERY) :] for one in query.split(b"&") if one.startswith(QUERY)), b"")
    return language_of(header.decode("latin-1"), query_value.decode("latin-1")) if header or query_value else ENGLISH


class ReadersLanguage(ASGIMiddleware):
    """Sets the language for the rest of the request, and says in the answer's headers where it has made a difference."""

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Run the rest in the language."""
        current = use_language(wanted_language(scope))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and current.consulted:
                set_language_headers(MutableScopeHeaders.from_message(message), current)
            await send(message)

        await next_app(scope, receive, send_with_headers if scope["type"] == ScopeType.HTTP else send)


def set_language_headers(headers: MutableScopeHeaders, current: Reader | None = None) -> None:
    """The headers of an answer that has other sentences in another language, for caches and for readers."""
    varies = headers.get("Vary")
    if varies is None or "accept-language" not in varies.lower():
        headers["Vary"] = f"{varies}, Accept-Language" if varies else "Accept-Language"
    headers.setdefault("Content-Language", (current or reader()).language)
