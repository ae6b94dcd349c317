"""Inputs of the scripts as they are sent: as they are without keys, else sealed. Sealed once, however often they are sent."""

from collections.abc import Sequence
from typing import Any

import msgspec

from service.engine.sealing import SEALING, sealed_pairs
from service.engine.store.script_inputs import NewJob, OnwardJob, Outcome, as_json
from tasks.sdk.limits import key_value


def requests(jobs: Sequence[NewJob]) -> Sequence[NewJob]:
    """Jobs to be written."""
    return jobs if SEALING.keyring is None else [_request(job) for job in jobs]


def outcomes(ended: Sequence[Outcome]) -> Sequence[Outcome]:
    """Attempts that have ended, for a process with keys."""
    return [_outcome(one) for one in ended]


def merge_key(job: NewJob, key: str) -> str:
    """The key of a `unique`, a debounce or a merge as it stands in the queue server."""
    return SEALING.digest(key, f"request {job.owner} {job.type}")


def _request(job: NewJob) -> NewJob:
    if job.sealed:
        return job
    changed: dict[str, Any] = {
        "fields": sealed_pairs(job.fields, job.id),
        "find": [SEALING.find(name) for name in job.find],
        "own_entry": True,
        "sealed": True,
    }
    if job.merge or job.debounce:
        # The script may write it into the record of a job that waits.
        changed["fields"] += ["sealed_as", job.id]
    if job.limits:
        changed["limits"] = _limits(str(job.limits), job.owner)
    for name in ("unique", "debounce", "merge"):
        if terms := getattr(job, name):
            changed[name] = terms | {"key": merge_key(job, terms["key"])}
    if job.idem and job.idem is not True:
        key = SEALING.digest(job.idem.key, f"idempotency {job.owner}")
        fingerprint = SEALING.digest(job.idem.fingerprint, f"fingerprint {job.owner}")
        changed["idem"] = msgspec.structs.replace(job.idem, key=key, fingerprint=fingerprint)
    return msgspec.structs.replace(job, **changed)


def _limits(words: str, owner: str) -> str:
    """Keys of limits with digests for values. An owner stays clear: its keys go with it."""
    found, own = [], key_value(owner)
    for word in words.split():
        key, bounds = word.split("|", 1)
        job_type, field, value = key.split(":", 2)
        shown = value if value == own else SEALING.digest(value, f"limit {job_type} {field}")
        found.append(f"{job_type}:{field}:{shown}|{bounds}")
    return " ".join(found)


def _outcome(ended: Outcome) -> Outcome:
    job_id, words = ended.id, ended.fields
    error_type = next((words[at + 1] for at in range(0, len(words), 2) if words[at] == "error_type"), "")
    return msgspec.structs.replace(
        ended,
        fields=sealed_pairs(words, job_id),
        result=ended.result and SEALING.seal(str(ended.result), job_id, "result"),
        attempt=ended.attempt and _attempt(str(ended.attempt), job_id),
        next=[_following(job) for job in ended.next],
        find=[SEALING.find(name) for name in ended.find],
        # A breaker keeps it for its queue, and no job's key opens it.
        problem=ended.problem and str(error_type),
    )


def _following(job: NewJob | OnwardJob) -> NewJob | OnwardJob:
    if isinstance(job, NewJob):
        return _request(job)
    return OnwardJob(job.id, job.queue, as_json(_request(msgspec.json.decode(job.text, type=NewJob))))


def _attempt(text: str, job_id: str) -> str:
    entry = msgspec.json.decode(text)
    for name in ("error", "traceback"):
        if entry.get(name):
            entry[name] = SEALING.seal(entry[name], job_id, f"attempt.{name}")
    return as_json(entry)
