"""Asynchronous client. The synchronous one is written from it by make_sync.py."""

from __future__ import annotations

import time
from asyncio import sleep
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from offload_client import _calls as calls
from offload_client import _pieces as pieces
from offload_client.errors import JobFailed, WaitTimeout, error_of
from offload_client.models import (
    Accepted,
    File,
    FileList,
    JobDetail,
    JobPage,
    Status,
    Ticket,
    Webhook,
    WebhookList,
    WebhookMade,
    WebhookSecret,
)

T = TypeVar("T")


class AsyncClient:
    """Calls of the API. Use as an asynchronous context manager, or await `close`.

    `base_url` is the server's address without `/api`, `key` the secret of an API key. `timeout_s` bounds each step of a call
    (connecting, sending, receiving), but an answer may take two minutes: uploads and long polls do. `transport` replaces the
    network in tests.
    """

    def __init__(
        self, base_url: str, key: str, *, timeout_s: float = 30.0, transport: httpx.AsyncBaseTransport | None = None
    ):
        self._http = httpx.AsyncClient(**calls.client_options(base_url, key, timeout_s), transport=transport)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def upload(self, path: str | Path, name: str | None = None, *, reuse: bool = False) -> File:
        """Upload a file, streamed from disk; a large one in pieces, which goes on where the connection broke.

        `reuse` takes a document that is there already, where one has the same bytes.
        """
        path = Path(path)
        if path.stat().st_size > pieces.LARGE_BYTES:
            file_id = await pieces.send_async(self, path, name or path.name, reuse)
            if file_id is not None:
                return await self.file(file_id)
        query = {"reuse": "true"} if reuse else {}
        for attempt in range(calls.RETRIES + 1):
            try:
                with calls.opened(path) as file:
                    files = {"file": (name or path.name, file)}
                    response = await self._http.post("/api/files", params=query, files=files)
            except httpx.TransportError as error:
                if attempt == calls.RETRIES:
                    raise calls.unreachable(self._http.base_url, error) from error
                await sleep(calls.pause_s(attempt, None))
                continue
            if response.status_code not in calls.REPEATED or attempt == calls.RETRIES:
                return calls.decoded(calls.checked(response), File)
            await sleep(calls.pause_s(attempt, response))
        raise AssertionError("unreachable")

    async def file(self, file_id: str) -> File:
        """Metadata of a document."""
        return await self._get(f"/api/files/{file_id}", File)

    async def files(self, sha256: str) -> list[File]:
        """Documents of the owner that have these bytes, oldest first."""
        found = await self._get("/api/files", FileList, {"sha256": sha256})
        return found.files

    async def submit(
        self,
        job_type: str,
        payload: Mapping[str, Any],
        *,
        priority: str | None = None,
        schedule_at: datetime | None = None,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> AsyncJob:
        """Queue a job.

        `priority` is low, normal or high. `schedule_at` needs a zone. With an `idempotency_key` a repeated request within a day
        returns the first job, and Conflict is raised where it asks for something else; without, one is made for the repetitions
        of this call. `options` are further request fields, such as `not_after` or `callback_url`. Raises ApiError for a refusal.
        """
        options |= {"priority": priority, "schedule_at": calls.encoded(schedule_at)}
        call = calls.submission(job_type, payload, idempotency_key, options)
        accepted = calls.decoded(await self._send(call), Accepted)
        return AsyncJob(self, accepted.job_id, accepted)

    async def submit_many(
        self, jobs: Sequence[Mapping[str, Any]], *, all_or_nothing: bool = False
    ) -> list[AsyncJob | Exception]:
        """Queue many jobs, `{"type", "payload", …}` each, in requests of up to 1,000; returns a job or its error for each.

        `all_or_nothing` holds for each request of 1,000.
        """
        results: list[AsyncJob | Exception] = []
        for start in range(0, len(jobs), calls.BULK):
            answer = await self._send(calls.bulk(jobs[start : start + calls.BULK], all_or_nothing))
            results += [_result(self, one) for one in answer.json()["jobs"]]
        return results

    def job(self, job_id: str) -> AsyncJob:
        """A handle for a job by its id, without a request."""
        return AsyncJob(self, job_id)

    async def jobs(self, *, limit: int | None = None, **filters: str | None) -> AsyncIterator[JobDetail]:
        """Jobs, newest first, by `queue`, `status` and `type`; pages are read as they are needed."""
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            size = 200 if left is None else min(200, left)
            page = await self._get("/api/jobs", JobPage, {**filters, "limit": size, "cursor": cursor})
            for job in page.jobs:
                yield job
            cursor = page.next_cursor
            if cursor is None:
                return
            left = None if left is None else left - len(page.jobs)

    async def create_webhook(self, url: str, events: Sequence[str]) -> WebhookMade:
        """Have a URL told of `events`, such as job.completed. Keep the secret: it verifies the messages."""
        return calls.decoded(await self._send(calls.webhook_creation(url, events)), WebhookMade)

    async def webhooks(self) -> list[Webhook]:
        """The owner's webhooks, oldest first."""
        found = await self._get("/api/webhooks", WebhookList)
        return found.webhooks

    async def test_webhook(self, webhook_id: str) -> None:
        """Have a message of the type webhook.test sent."""
        await self._send(calls.Call("POST", f"/api/webhooks/{webhook_id}/test", safe=False))

    async def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook."""
        await self._send(calls.Call("DELETE", f"/api/webhooks/{webhook_id}", safe=False))

    async def callback_secret(self) -> str:
        """The secret that verifies calls of `callback_url`s."""
        found = await self._get("/api/webhooks/callback-secret", WebhookSecret)
        return found.secret

    async def _get(self, path: str, kind: type[T], params: Mapping[str, Any] | None = None) -> T:
        return calls.decoded(await self._send(calls.Call("GET", path, params=params)), kind)

    async def _send(self, call: calls.Call) -> httpx.Response:
        """The answer, after as many repetitions as it takes. Raises ApiError or Unreachable."""
        arguments = call.arguments()
        for attempt in range(calls.RETRIES + 1):
            try:
                response = await self._http.request(call.method, call.path, **arguments)
            except httpx.TransportError as error:
                if not call.safe or attempt == calls.RETRIES:
                    raise calls.unreachable(self._http.base_url, error) from error
                await sleep(calls.pause_s(attempt, None))
                continue
            if attempt == calls.RETRIES or not calls.worth_repeating(call, response):
                return calls.checked(response)
            await sleep(calls.pause_s(attempt, response))
        raise AssertionError("unreachable")


class AsyncJob:
    """A job by its id. `accepted` is the answer to its submission, None for a handle made by id."""

    def __init__(self, client: AsyncClient, job_id: str, accepted: Accepted | None = None) -> None:
        self._client = client
        self.id = job_id
        self.accepted = accepted

    def __repr__(self) -> str:
        return f"<Job {self.id}>"

    async def status(self) -> Status:
        """Its state now."""
        return await self._client._get(f"/api/jobs/{self.id}/status", Status)

    async def detail(self) -> JobDetail:
        """Everything that is known: payload, attempts, result, files, parts."""
        return await self._client._get(f"/api/jobs/{self.id}", JobDetail)

    async def updates(self, timeout_s: float | None = None) -> AsyncIterator[Status]:
        """Its status now and at each change, until it has ended, by long polls. Raises WaitTimeout after `timeout_s`."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        last, etag = None, None
        while True:
            left = calls.POLL_S if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeout(f"{self.id} has not ended within {timeout_s:g} s.")
            response = await self._client._send(calls.status_call(self.id, etag, max(1, min(calls.POLL_S, int(left)))))
            etag = response.headers.get("etag")
            if response.status_code == 304:
                continue
            status = calls.decoded(response, Status)
            if calls.changed(last, status):
                last = status
                yield status
            if status.terminal:
                return

    async def wait(self, timeout_s: float | None = None) -> Status:
        """Its last status, once it has completed. Raises JobFailed where it ended otherwise, WaitTimeout."""
        last: Status | None = None
        async for status in self.updates(timeout_s):
            last = status
        assert last is not None
        if last.status != "completed":
            raise JobFailed(last)
        return last

    async def retry(self) -> Status:
        """Queue it again, failed or cancelled as it is."""
        return await self._act("retry")

    async def cancel(self) -> Status:
        """Stop it."""
        return await self._act("cancel")

    async def delete(self) -> None:
        """Remove the ended job and its files."""
        await self._client._send(calls.Call("DELETE", f"/api/jobs/{self.id}", safe=False))

    async def ticket(self, minutes: int | None = None) -> Ticket:
        """Permission for a browser to read this job."""
        body = {} if minutes is None else {"minutes": minutes}
        response = await self._client._send(calls.Call("POST", f"/api/jobs/{self.id}/ticket", body))
        return calls.ticket_of(response, self._client._http.base_url)

    async def download(self, name: str, to: str | Path) -> Path:
        """Write one of its files to disk, streamed; the file appears only when it is whole."""
        target = Path(to)
        partial = target.with_name(f".{target.name}.partial")
        try:
            async with self._client._http.stream("GET", f"/api/jobs/{self.id}/files/{name}") as response:
                if not response.is_success:
                    await response.aread()
                    raise error_of(response)
                with partial.open("wb") as file:
                    async for chunk in response.aiter_bytes():
                        file.write(chunk)
            partial.replace(target)
        except httpx.TransportError as error:
            raise calls.unreachable(self._client._http.base_url, error) from error
        finally:
            partial.unlink(missing_ok=True)
        return target

    async def read(self, name: str) -> bytes:
        """One of its files."""
        answer = await self._client._send(calls.Call("GET", f"/api/jobs/{self.id}/files/{name}"))
        return answer.content

    async def _act(self, action: str) -> Status:
        return calls.decoded(
            await self._client._send(calls.Call("POST", f"/api/jobs/{self.id}/{action}", safe=False)), Status
        )


def _result(client: AsyncClient, answer: Mapping[str, Any]) -> AsyncJob | Exception:
    found = calls.outcome(answer)
    return found if isinstance(found, Exception) else AsyncJob(client, found.job_id, found)
