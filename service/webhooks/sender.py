"""`Sender`: posts one signed message to one address. It follows no redirect, and its waits are bounded."""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import httpcore
import httpx
from standardwebhooks import Webhook as Signer

from service.webhooks.addresses import Addresses, RefusedUrl, parse_url, port_of

CONNECT_S = 5.0
TOTAL_S = 15.0
"""Seconds for a connection, and for the whole of a delivery: a receiver that has more to do answers first and does it then."""

ANSWER_MAX = 4_096
"""Bytes of an answer that are read. Only their beginning is kept, for the log."""

SHOWN_MAX = 300
"""Characters of an answer that the log keeps."""

USER_AGENT = f"Offload/{version('offload')} (webhooks)"


@dataclass(frozen=True)
class Answer:
    """Result of a delivery: the status code, None where none came, and a sentence where it did not succeed."""

    status_code: int | None
    error: str | None

    @property
    def taken(self) -> bool:
        return self.error is None


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that have just been checked, never to a name that is looked up once more."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self.network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore names it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self.addresses.lookup(host, port):
            try:
                return await self.network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Sender:
    """One connection a message: a kept one would outlive the check of its address."""

    def __init__(self, addresses: Addresses) -> None:
        self.backend = CheckedBackend(addresses)
        self._certificates: ssl.SSLContext | None = None

    async def post(self, url: str, secret: str, message_id: str, body: str) -> Answer:
        """Post a message, signed as Standard Webhooks has it. Whatever goes wrong is in the answer."""
        try:
            async with asyncio.timeout(TOTAL_S):
                status_code, text = await self._post(parse_url(url), signed(secret, message_id, body), body)
        except RefusedUrl as error:
            return Answer(None, str(error))
        except TimeoutError:
            return Answer(None, f"It did not answer within {TOTAL_S:g} seconds.")
        except (httpcore.ConnectError, httpcore.ConnectTimeout, OSError) as error:
            return Answer(None, f"No connection: {_words(error)}.")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            return Answer(None, f"The connection broke off: {_words(error)}.")
        if 200 <= status_code < 300:
            return Answer(status_code, None)
        detail = f": {text}" if text else ""
        if 300 <= status_code < 400:
            detail = ", and redirects are not followed"
        return Answer(status_code, f"It answered {status_code}{detail}.")

    async def _post(self, url: httpx.URL, headers: dict[bytes | str, bytes | str], body: str) -> tuple[int, str]:
        if url.scheme == "https" and self._certificates is None:
            # Loading the certificates of the world takes a fifth of a second.
            self._certificates = await asyncio.to_thread(httpx.create_ssl_context)
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port_of(url), target=url.raw_path)
        limits = {"connect": CONNECT_S, "read": TOTAL_S, "write": TOTAL_S, "pool": TOTAL_S}
        pool = httpcore.AsyncConnectionPool(ssl_context=self._certificates, network_backend=self.backend)
        async with (
            pool,
            pool.stream(
                "POST", target, headers=headers, content=body.encode(), extensions={"timeout": limits}
            ) as response,
        ):
            read = b""
            async for chunk in response.aiter_stream():
                read += chunk
                if len(read) >= ANSWER_MAX:
                    break
            return response.status, " ".join(read[:ANSWER_MAX].decode("utf-8", "replace").split())[:SHOWN_MAX]


def signed(secret: str, message_id: str, body: str) -> dict[bytes | str, bytes | str]:
    """Headers of a message: its id, the time of this try and the signature of both with the body."""
    moment = datetime.now(UTC)
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Signer(secret).sign(message_id, moment, body),
    }


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
