"""Encrypted fields of records as they are read."""

from collections.abc import Iterable
from typing import Any

import msgspec

from service.engine.sealing import MARK, MARK_BYTES, PAYLOAD, SEALING
from service.lib.encryption import Unreadable

TEXTS = ("message", "error", "question", "callback_url")
"""Encrypted fields whose text is not JSON."""


def is_sealed(value: bytes | str) -> bool:
    """True for an encrypted field, as a hash or a message has it."""
    return value.startswith(MARK) if isinstance(value, str) else value.startswith(MARK_BYTES)


def open_record(job_id: str, seen: dict[str, Any], found: dict[str, Any]) -> None:
    """Read what is encrypted of the fields in `seen`, and of `found`, whose text is not JSON as it is. What cannot be read is
    left out, with the reason for the job's page in `unreadable`."""
    for name in TEXTS:
        if (text := seen.get(name)) and text[0] == MARK:
            found[name] = text
    if (payload := seen.get("payload")) and PAYLOAD in payload:
        found["payload"] = MARK + payload[PAYLOAD]
    for name, value in found.items():
        try:
            words = SEALING.open(value, bound_to(job_id, name, seen.get("sealed_as", "")), name)
            seen[name] = words if name in TEXTS else msgspec.json.decode(words)
        except Unreadable as error:
            _lost(seen, error)
            seen.pop(name, None)
    if data := seen.get("data"):
        _open_data(job_id, seen, data)
    if "unreadable" in seen:
        seen.setdefault("message", seen["unreadable"])


def bound_to(job_id: str, field: str, sealed_as: str) -> str:
    """Id that a field is bound to: what came with a request may have been merged into a job that was there."""
    return sealed_as or job_id if field in ("payload", "callback_url") else job_id


def _open_data(job_id: str, seen: dict[str, Any], data: dict[str, Any]) -> None:
    for name, value in _texts(data):
        if value.startswith(MARK):
            try:
                data[name] = msgspec.json.decode(SEALING.open(value, job_id, f"data.{name}"))
            except Unreadable as error:
                _lost(seen, error)
                data[name] = None


def _texts(data: dict[str, Any]) -> Iterable[tuple[str, str]]:
    return [(name, value) for name, value in data.items() if isinstance(value, str)]


def _lost(seen: dict[str, Any], error: Unreadable) -> None:
    seen.setdefault("unreadable", str(error))
