"""Settings in effect by the names of their variables, secrets as fingerprints, and what differs since the last start."""

import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from service.engine.redis.client import Client
from service.lib.clock import now_ms
from service.monitoring.changes import keys
from service.monitoring.changes.records import SettingsChange
from service.monitoring.changes.timeline import DAY_MS, Timeline
from service.monitoring.log_secrets import Masker, secret_values
from settings import Settings

SECRET = "••• "
"""Begins the text of a secret; its fingerprint follows."""

SHOWN = 120
"""Characters of a value in a list of differences."""

DIFFERENCES_MAX = 50

KEPT, KEPT_MS = 500, 400 * DAY_MS


def settings_in_effect(settings: Settings) -> dict[str, str]:
    """Each variable with its value. Of a secret there is only a fingerprint, which changes with it."""
    masker = Masker(secret_values(settings))
    found = {}
    for name, field, value in _fields("OFFLOAD", settings):
        if _secret(field):
            found[name] = _fingerprint(settings, value)
        else:
            found[name] = masker.text(_text(value))
    return dict(sorted(found.items()))


def shown(value: str) -> str:
    """A value without the fingerprint of a secret."""
    return SECRET.strip() if value.startswith(SECRET) else value


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """One clause for each variable that differs."""
    found = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, ""), after.get(name, "")
        if old == new:
            continue
        if SECRET in (old[: len(SECRET)], new[: len(SECRET)]):
            found.append(f"{name} (a secret) was {'set' if not old else 'removed' if not new else 'changed'}")
        else:
            found.append(f"{name}: {_short(old)} → {_short(new)}")
    return found


class SettingsHistory:
    """Remembers the settings of each kind of process, and when they changed."""

    def __init__(self, redis: Client) -> None:
        self.redis = redis
        self.changes = Timeline(redis, keys.SETTINGS_CHANGES, SettingsChange, KEPT, KEPT_MS)

    async def started(self, process: str, settings: Settings) -> None:
        """Note a start of a kind of process, such as web or `worker pdf-processing`. Its first start changes nothing."""
        present = settings_in_effect(settings)
        raw = await self.redis.hget(keys.SETTINGS_SEEN, process)
        pipe = self.redis.pipeline(transaction=True)
        pipe.hset(keys.SETTINGS_SEEN, process, msgspec.json.encode(present))
        differs = differences(msgspec.json.decode(raw, type=dict[str, str]), present) if raw else []
        if differs:
            at_ms = now_ms()
            kept = differs[:DIFFERENCES_MAX]
            if len(differs) > len(kept):
                kept.append(f"and {len(differs) - len(kept):,} more")
            self.changes.add_to(pipe, SettingsChange(at_ms, process, kept), at_ms)
        await pipe.execute()

    async def seen(self) -> dict[str, dict[str, str]]:
        """Settings of the last start of each kind of process."""
        raws = await self.redis.hgetall(keys.SETTINGS_SEEN)
        return {name.decode(): msgspec.json.decode(raw, type=dict[str, str]) for name, raw in sorted(raws.items())}


def _fields(prefix: str, model: BaseModel) -> Iterator[tuple[str, FieldInfo, Any]]:
    for name, field in type(model).model_fields.items():
        value, variable = getattr(model, name), f"{prefix}_{(field.alias or name).upper().removeprefix('GIVEN_')}"
        if _secret(field):
            yield variable, field, value
        elif isinstance(value, BaseModel):
            yield from _fields(f"{variable}_", value)
        elif isinstance(value, Mapping) and any(isinstance(one, BaseModel) for one in value.values()):
            for key, one in value.items():
                yield from _fields(f"{variable}__{key}_", one)
        else:
            yield variable, field, value


def _secret(field: FieldInfo) -> bool:
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("secret"))


def _fingerprint(settings: Settings, value: Any) -> str:
    if value in (None, "", (), {}):
        return ""
    return SECRET + hmac.digest(settings.link_key, repr(value).encode(), "sha256").hex()[:8]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, tuple | list | set | frozenset):
        return ", ".join(_text(one) for one in value)
    try:
        return msgspec.json.encode(value).decode()
    except TypeError:
        return str(value)


def _short(text: str) -> str:
    return (text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…") or "(unset)"
