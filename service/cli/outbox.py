"""`Relay`: moves rows of an outbox table to Offload, each once, in the order of their ids."""

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.cli.client import CliError

log = structlog.get_logger("offload.relay")

TABLE = "offload_outbox"
"""As `offload_client.outbox` makes it."""

BATCH = 200
"""Rows of one request: what is repeated when this process dies between the answer and its note."""

IDLE_S = 0.5
"""Seconds between two looks at an empty table."""

KEY_HOLDS_S = 30 * 86_400
"""Seconds for which Offload knows a row: a relay that died between the answer and its note may come back so much later. The
longest that the API takes, some 250 bytes of the queue server's memory for each row."""

WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before the next try while the database or Offload is away; the last one repeats."""

LOCK = 0x0FF10AD
"""Of PostgreSQL's advisory locks: one relay at a time, or rows of one ordering could overtake each other."""

WAITING = f"FROM {TABLE} WHERE sent_ms IS NULL AND parked IS NULL"


class Away(Exception):
    """A part is out of reach, or takes nothing at present. `after_s`: what it asks to wait, in seconds."""

    def __init__(self, sentence: str, after_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.after_s = after_s


class Relay:
    """Moves rows in the order of their ids. `http` speaks to Offload, with its address and key."""

    def __init__(self, engine: AsyncEngine, http: httpx.AsyncClient, keep_days: int = 7) -> None:
        self.engine, self.http, self.keep_ms = engine, http, keep_days * 86_400_000
        self.swept_s = -3600.0

    async def run(self, stopped: asyncio.Event, *, once: bool = False) -> None:
        """Move rows until `stopped`, or with `once` until none waits. Absences of either side are waited out.

        Raises CliError where Offload does not take the key.
        """
        absences = 0
        while not stopped.is_set():
            wait_s = IDLE_S
            try:
                async with self.engine.connect() as connection:
                    if await self._alone(connection):
                        await self._drain(connection, stopped)
                        if once:
                            return
                absences = 0
            except (Away, DBAPIError, OSError) as error:
                if once and not isinstance(error, Away):
                    raise CliError(f"The outbox cannot be read: {first_line(error)}.") from None
                wait_s = max(WAITS_S[min(absences, len(WAITS_S) - 1)], getattr(error, "after_s", 0.0))
                absences += 1
                log.warning("relay.waits", reason=first_line(error), seconds=wait_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), wait_s)

    async def _alone(self, connection: AsyncConnection) -> bool:
        """True where no other relay works on this database."""
        if connection.dialect.name != "postgresql":
            return True
        alone = bool(await connection.scalar(text(f"SELECT pg_try_advisory_lock({LOCK})")))
        await connection.commit()
        return alone

    async def _drain(self, connection: AsyncConnection, stopped: asyncio.Event) -> None:
        """Move rows while there are any. The lock goes with the connection."""
        try:
            while not stopped.is_set() and await self.move(connection):
                pass
            await self._sweep(connection)
        finally:
            if connection.dialect.name == "postgresql" and not connection.invalidated:
                with contextlib.suppress(DBAPIError, OSError):
                    await connection.rollback()
                    await connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))
                    await connection.commit()

    async def move(self, connection: AsyncConnection) -> int:
        """Send the next rows and note the outcome of each; returns how many were settled. Raises Away."""
        found = await connection.execute(
            text(
                f"SELECT id, idempotency_key, job_type, payload, options, ordering {WAITING} ORDER BY id LIMIT {BATCH}"
            )
        )
        rows = in_order([dict(row) for row in found.mappings()])
        await connection.commit()
        if not rows:
            return 0
        answers = await self._submit(rows)
        settled = 0
        away: Away | None = None
        for row, answer in zip(rows, answers, strict=True):
            if "job_id" in answer:
                assignment, value = "sent_ms = :now, job_id = :value", answer["job_id"]
            elif answer["status_code"] == 429 or answer["status_code"] >= 500:
                away = away or Away(answer["detail"])
                continue
            else:
                assignment, value = "parked = :value", with_fields(answer)
                log.warning("relay.parked", row=row["id"], reason=value)
            values = {"id": row["id"], "value": value} | (
                {"now": time.time_ns() // 1_000_000} if "now" in assignment else {}
            )
            await connection.execute(text(f"UPDATE {TABLE} SET {assignment} WHERE id = :id"), values)
            settled += 1
        await connection.commit()
        log.info("relay.moved", rows=settled)
        if away is not None:
            raise away
        return settled

    async def _submit(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The answer of each row, in order. Raises Away."""
        jobs: list[dict[str, Any]] = []
        for row in rows:
            given = json.loads(row["options"]) | {"payload": json.loads(row["payload"])}
            key = {"idempotency_key": row["idempotency_key"], "idempotency_for_s": KEY_HOLDS_S}
            jobs.append(given | {"type": row["job_type"]} | key)
        try:
            response = await self.http.post("/api/jobs/batch", json={"jobs": jobs})
        except httpx.HTTPError as error:
            raise Away(f"Offload does not answer: {first_line(error)}") from None
        if response.status_code == 202:
            return list(response.json()["jobs"])
        body = _body_of(response)
        if response.status_code in (401, 403):
            raise CliError(f"Offload does not take the key: {body['detail']}")
        if response.status_code == 429 or response.status_code >= 500:
            raise Away(body["detail"], float(response.headers.get("retry-after") or 0))
        # One of them makes the whole request unreadable: each is sent alone.
        return [body] if len(rows) == 1 else [(await self._submit([row]))[0] for row in rows]

    async def _sweep(self, connection: AsyncConnection) -> None:
        """Delete rows that were moved long ago, once an hour."""
        if time.monotonic() - self.swept_s < 3600:
            return
        before_ms = time.time_ns() // 1_000_000 - self.keep_ms
        await connection.execute(text(f"DELETE FROM {TABLE} WHERE sent_ms < :before"), {"before": before_ms})
        await connection.commit()
        self.swept_s = time.monotonic()


def in_order(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that one request may hold: of an ordering only those of one job type.

    Within a request a job over a limit is passed over, and one of another type may yet be taken: it would overtake.
    """
    types: dict[str, str] = {}
    fitting = []
    for row in rows:
        ordering = row["ordering"]
        if ordering is not None and types.setdefault(ordering, row["job_type"]) != row["job_type"]:
            # Nor what comes after it.
            types[ordering] = ""
            continue
        fitting.append(row)
    return fitting


def with_fields(answer: Mapping[str, Any]) -> str:
    """The sentence of a refusal, with those of the fields that it only counts."""
    errors = [one["message"] for one in answer.get("errors") or [] if one["message"] not in answer["detail"]]
    return " ".join([answer["detail"], *errors])


def _body_of(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
        return {"status_code": response.status_code, "detail": str(body["detail"]), "errors": body.get("errors") or []}
    except (ValueError, KeyError, TypeError):
        return {"status_code": response.status_code, "detail": f"Offload answered {response.status_code}"}


def first_line(error: Exception) -> str:
    """The first line of what an error says, without the statement that SQLAlchemy adds."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:300].rstrip(".")
