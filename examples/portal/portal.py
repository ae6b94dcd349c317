"""Portal of a client company: takes a document, has Offload read it, shows the bar, and mails the person when it is done.

The API key stays on this server. A browser gets a ticket, which reads the one job that it is for.
"""

import asyncio
import contextlib
import os
import re
import smtplib
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Any

from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State, UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from standardwebhooks import Webhook, WebhookVerificationError

from offload_client import ApiError, AsyncClient, Unreachable

FOLDER = Path(__file__).parent

UPLOAD_MAX = 50_000_000
"""Bytes of a document that this portal takes."""

TICKET_MINUTES = 24 * 60
"""A day, the longest that a ticket holds: the mail has the same link as the page."""

ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


@dataclass(frozen=True)
class Config:
    """Settings of the portal, from the environment."""

    offload_url: str
    offload_key: str
    own_url: str
    """Address under which Offload reaches this portal."""
    smtp: str
    """Host and port of the mail server."""
    database: str

    @classmethod
    def from_environment(cls) -> "Config":
        """Raises KeyError for a missing variable."""
        return cls(
            os.environ["OFFLOAD_URL"].rstrip("/"),
            os.environ["OFFLOAD_KEY"],
            os.environ["PORTAL_URL"].rstrip("/"),
            os.environ["PORTAL_SMTP"],
            os.environ.get("PORTAL_DATABASE", "portal.db"),
        )


class Requests:
    """Documents that were taken, with the address to write to: a row is there before its job, and so before any webhook."""

    def __init__(self, path: str) -> None:
        # Each statement is a transaction of its own.
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute(
            "CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, name TEXT, email TEXT, mailed INTEGER DEFAULT 0)"
        )

    def add(self, name: str, email: str) -> int:
        """A new row; returns its id."""
        return int(
            self.database.execute("INSERT INTO requests (name, email) VALUES (?, ?)", (name, email)).lastrowid or 0
        )

    def find(self, request_id: int) -> tuple[str, str, bool] | None:
        """Name of the document, address, and whether the mail was sent."""
        query = "SELECT name, email, mailed FROM requests WHERE id = ?"
        row = self.database.execute(query, (request_id,)).fetchone()
        return (row[0], row[1], bool(row[2])) if row else None

    def mark_mailed(self, request_id: int) -> None:
        """Note that the mail was sent: a webhook may come twice."""
        self.database.execute("UPDATE requests SET mailed = 1 WHERE id = ?", (request_id,))


@dataclass
class Document:
    """The form of the page."""

    file: UploadFile
    email: str = ""


@get("/", media_type="text/html")
async def page(state: State) -> Response[str]:
    """The page. Its content policy lets it load the element from Offload, and call Offload, and nothing else."""
    offload = state.config.offload_url
    socket = offload.replace("http", "ws", 1)
    policy = (
        f"default-src 'none'; script-src 'self' {offload}; style-src 'self'; img-src data:; "
        f"connect-src 'self' {offload} {socket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    html = (FOLDER / "page.html").read_text(encoding="utf-8").replace("{offload}", offload)
    return Response(html, headers={"Content-Security-Policy": policy})


@get("/{name:str}")
async def asset(name: str) -> Response[str]:
    """The page's script and style sheet."""
    kinds = {"portal.js": "text/javascript", "portal.css": "text/css"}
    if name not in kinds:
        return Response("There is nothing here.", status_code=404, media_type="text/plain")
    return Response((FOLDER / name).read_text(encoding="utf-8"), media_type=kinds[name])


@post("/documents", request_max_body_size=UPLOAD_MAX)
async def take(
    data: Annotated[Document, Body(media_type=RequestEncodingType.MULTI_PART)], state: State
) -> Response[dict[str, str]]:
    """Hand the document to Offload. The answer is what the page needs to show the bar."""
    email = data.email.strip()
    if email and not ADDRESS.fullmatch(email):
        return Response({"detail": "That is not a mail address."}, status_code=400)
    offload: AsyncClient = state.offload
    name = Path(data.file.filename or "document").name
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "document"
            path.write_bytes(await data.file.read())
            file = await offload.upload(path, name)
        request_id = state.requests.add(name, email)
        job = await offload.submit(
            "pdf-ocr",
            {"file_id": file.file_id},
            idempotency_key=f"portal-{request_id}-{file.file_id}",
            callback_url=f"{state.config.own_url}/done/{request_id}",
        )
        ticket = await job.ticket(TICKET_MINUTES)
    except ApiError as error:
        # The server's own sentence: "The file is empty.", "A file of another kind than is wanted here.", …
        return Response({"detail": error.detail}, status_code=error.status_code)
    except Unreachable:
        return Response({"detail": "The reading service does not answer. Please try again later."}, status_code=503)
    return Response({"job": job.id, "ticket": ticket.ticket, "page": ticket.page_url}, status_code=202)


@post("/done/{request_id:int}", status_code=204)
async def done(request_id: int, request: Request[Any, Any, Any], state: State) -> None:
    """Offload's call for the end of a job. What is not answered with 2xx is sent again, for a day."""
    if state.secret is None:
        state.secret = await state.offload.callback_secret()
    message = Webhook(state.secret).verify(await request.body(), dict(request.headers))
    found = state.requests.find(request_id)
    if found is None or found[2] or not found[1]:
        return
    name, email, _ = found
    job = state.offload.job(message["data"]["id"])
    ticket = await job.ticket(TICKET_MINUTES)
    await asyncio.to_thread(send, state.config.smtp, letter(email, name, message["data"], ticket.page_url))
    state.requests.mark_mailed(request_id)


def letter(email: str, name: str, status: dict[str, Any], page_url: str) -> EmailMessage:
    """The mail at the end of a job."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "Portal <portal@example.com>", email
    if status["status"] == "completed":
        mail["Subject"] = "Your document has been read"
        mail.set_content(f"{name} has been read. Text and searchable PDF, for a day:\n\n{page_url}\n")
    else:
        mail["Subject"] = "Your document could not be read"
        mail.set_content(f"{name} could not be read: {status['error'] or status['status']}\n\n{page_url}\n")
    return mail


def send(server: str, mail: EmailMessage) -> None:
    """Hand a mail to the server. Raises OSError or SMTPException, upon which Offload calls again."""
    host, _, port = server.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as smtp:
        smtp.send_message(mail)


def refuse(_: Request[Any, Any, Any], error: WebhookVerificationError) -> Response[dict[str, str]]:
    """Answer to a call that Offload has not signed."""
    return Response({"detail": f"Not a message of Offload: {error}."}, status_code=401)


@contextlib.asynccontextmanager
async def opened(app: Litestar) -> AsyncIterator[None]:
    """The client of Offload, for the life of the portal."""
    config: Config = app.state.config
    async with AsyncClient(config.offload_url, config.offload_key) as offload:
        app.state.update({"offload": offload, "secret": None, "requests": Requests(config.database)})
        yield


def create_app() -> Litestar:
    """The portal, for `uvicorn --factory portal:create_app`."""
    return Litestar(
        [page, asset, take, done],
        state=State({"config": Config.from_environment()}),
        lifespan=[opened],
        exception_handlers={WebhookVerificationError: refuse},
        openapi_config=None,
    )
