"""The command line as a client of the JSON API: address, key, and one clear sentence for each thing that goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from service.lib.user_agent import user_agent
from settings import Settings

TIMEOUT = httpx.Timeout(30.0, read=120.0)
"""Seconds. Reading waits longer: after an upload the server counts the pages before it answers."""

PAGE = 200
"""Jobs asked for at once."""

PAGES_MAX = 20
"""Pages of one search: with 10,000 jobs looked at for each, some seconds of the server's time."""

DENIALS = frozenset({400, 404, 409, 410, 413, 415, 422})
"""Status codes that are about what was sent. 401 and 403 are about the key, 429 and 5xx about the moment."""

UNKNOWN_TYPE = "There is no job type"
"""Beginning of the API's sentence about a job type that it does not know."""

TERMINAL = frozenset({"completed", "failed", "cancelled", "expired"})


class CliError(Exception):
    """Something the person at the terminal can act on, in one sentence."""


class Unavailable(CliError):
    """The server is not there, is too busy, or refuses the key: the same call may work later."""


class Denied(CliError):
    """The server refuses what was sent, and would again."""


class Found(NamedTuple):
    """Jobs that fit a query. `cursor` goes on where the server has not looked at all that may fit, as `note` says."""

    jobs: list[dict[str, Any]]
    note: str | None
    cursor: str | None


class Api:
    """The calls the command line makes. Each raises CliError where the server refuses or does not answer."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def upload(self, path: Path, *, reuse: bool = False) -> dict[str, Any]:
        """Upload a file, streamed from disk; returns its metadata. `reuse` takes a document of the same bytes instead."""
        params = {"reuse": "true"} if reuse else {}
        try:
            with path.open("rb") as file:
                return self._call("POST", "/api/files", params=params, files={"file": (path.name, file)})
        except OSError as error:
            raise CliError(f"{path} cannot be read: {error.strerror}.") from None

    def documents_of(self, sha256: str) -> list[dict[str, Any]]:
        """Documents that have these bytes, oldest first."""
        return list(self._call("GET", "/api/files", params={"sha256": sha256})["files"])

    def start_ocr(self, file_id: str, priority: str) -> dict[str, Any]:
        """Queue a pdf-ocr job; returns its id and estimate."""
        return self.submit("pdf-ocr", {"file_id": file_id, "priority": priority})

    def submit(self, job_type: str, body: dict[str, Any]) -> dict[str, Any]:
        """Queue a job; returns its id and estimate."""
        try:
            return self._call("POST", f"/api/jobs/{job_type}", json=body)
        except Denied as error:
            if str(error).startswith(UNKNOWN_TYPE):
                # About the command, and not about what was sent: no file is to be refused for it.
                raise CliError(str(error)) from None
            raise

    def status(self, job_id: str) -> dict[str, Any]:
        """The status object of a job."""
        return self._call("GET", f"/api/jobs/{job_id}/status")

    def text(self, job_id: str) -> str:
        """The text a pdf-ocr job has read."""
        return self._response("GET", f"/api/jobs/{job_id}/files/text.txt").text

    def file(self, job_id: str, name: str) -> bytes:
        """A file that a job has made."""
        return self._response("GET", f"/api/jobs/{job_id}/files/{name}").content

    def log(self, job_id: str) -> list[dict[str, Any]]:
        """Lines that the job's task has logged, oldest first; the last 200."""
        return list(self._call("GET", f"/api/jobs/{job_id}/log")["lines"])

    def workers(self) -> dict[str, Any]:
        """The workers' last reports, and what is wrong with them."""
        # Answered with 503 where something is.
        response = self._response("GET", "/workers/health", bodies=(httpx.codes.SERVICE_UNAVAILABLE,))
        try:
            body: dict[str, Any] = response.json()
            return {"status": body["status"], "detail": body["detail"], "workers": body["workers"]}
        except (ValueError, KeyError, TypeError):
            raise CliError(_refusal(response)) from None

    def jobs(self, limit: int | None, **filters: str | None) -> Iterator[dict[str, Any]]:
        """Up to `limit` jobs (None for all), newest first."""
        given = {name: value for name, value in filters.items() if value}
        cursor: str | None = None
        while limit is None or limit > 0:
            params = (
                given
                | {"limit": str(PAGE if limit is None else min(limit, PAGE))}
                | ({"cursor": cursor} if cursor else {})
            )
            page = self._call("GET", "/api/jobs", params=params)
            yield from page["jobs"]
            limit = None if limit is None else limit - len(page["jobs"])
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def find(self, query: str, limit: int, cursor: str | None, **filters: str | None) -> Found:
        """Up to `limit` jobs that fit a query, newest first, from `cursor` on. Where it makes the server look at very many, the
        answer has a note, and a cursor to go on with."""
        given = {name: value for name, value in filters.items() if value} | {"q": query}
        jobs: list[dict[str, Any]] = []
        note: str | None = None
        for _ in range(PAGES_MAX):
            params = given | {"limit": str(min(limit - len(jobs), PAGE))} | ({"cursor": cursor} if cursor else {})
            page = self._call("GET", "/api/jobs", params=params)
            jobs += page["jobs"]
            note, cursor = page.get("note") or note, page.get("next_cursor")
            if len(jobs) >= limit or not cursor:
                return Found(jobs, None, None)
        return Found(jobs, note, cursor)

    def retry(self, job_id: str) -> None:
        """Queue a failed job again."""
        self._call("POST", f"/api/jobs/{job_id}/retry")

    def cancel(self, job_id: str) -> None:
        """Stop a job that has not ended."""
        self._call("POST", f"/api/jobs/{job_id}/cancel")

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._response(method, path, **arguments).json()
        return answer

    def _response(self, method: str, path: str, *, bodies: tuple[int, ...] = (), **arguments: Any) -> httpx.Response:
        """The response. `bodies` are status codes that are not a refusal but carry an answer."""
        try:
            response = self._http.request(method, path, **arguments)
        except httpx.TimeoutException:
            raise Unavailable(f"The Offload server at {self._http.base_url} took too long to answer.") from None
        except httpx.TransportError:
            raise no_server(str(self._http.base_url)) from None
        if response.is_success or response.status_code in bodies:
            return response
        raise (Denied if response.status_code in DENIALS else Unavailable)(_refusal(response))


def server_options(settings: Settings, server: str | None, key: str | None) -> dict[str, Any]:
    """Arguments of an httpx client of `server` with `key`; by default the server and the first key of this installation.

    Raises CliError where there is neither a key nor an installation that has one.
    """
    base_url = (server or settings.web_url).rstrip("/")
    if key is None and settings.given_api_keys is None and not settings.credentials_file.exists():
        # Asking for the keys would generate some that no server knows.
        raise no_server(base_url)
    headers = {"Authorization": f"Bearer {key or next(iter(settings.api_keys))}", "User-Agent": user_agent()}
    try:
        httpx.URL(base_url)
    except httpx.InvalidURL:
        raise CliError(f"'{base_url}' is not the address of a server.") from None
    return {"base_url": base_url, "headers": headers, "timeout": TIMEOUT, "trust_env": server is not None}


@contextmanager
def open_api(settings: Settings, server: str | None, key: str | None) -> Iterator[Api]:
    """An `Api` on the server and with the key of `server_options`."""
    with httpx.Client(**server_options(settings, server, key)) as http:
        yield Api(http)


def no_server(address: str) -> Unavailable:
    """The sentence for a server that is not there."""
    return Unavailable(
        f"No Offload server answers at {address.rstrip('/')}: start one with `make run` or `offload up`."
    )


def _refusal(response: httpx.Response) -> str:
    """The server's own sentence, with every field it named."""
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return f"The server at {response.url.host}:{response.url.port} does not know this API key."
    try:
        answer = response.json()
        detail = str(answer["detail"])
    except (ValueError, KeyError, TypeError):
        call = f"{response.request.method} {response.url.path}"
        return f"The server answered {response.status_code} {response.reason_phrase} to {call}."
    errors = [one for one in answer.get("errors") or [] if one.get("field") and one["message"] not in detail]
    return "; ".join([detail, *(f"{one['field']}: {one['message']}" for one in errors)])
