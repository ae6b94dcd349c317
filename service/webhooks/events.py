"""Messages: what is sent for the end of a job, and the secrets that sign it."""

import base64
import hashlib
import hmac
import secrets
from typing import Literal

import msgspec

from service.engine.job_status import rfc3339, status_object
from service.engine.store import Job
from service.engine.store.workflows import EndedWorkflow
from service.lib.clock import now_ms
from service.lib.languages import ENGLISH, in_language

Event = Literal["job.completed", "job.failed", "job.cancelled", "job.expired", "workflow.ended"]

EVENTS: tuple[Event, ...] = ("job.completed", "job.failed", "job.cancelled", "job.expired", "workflow.ended")

WORKFLOW_ENDED: Event = "workflow.ended"

TEST = "webhook.test"
"""Type of the message that a test sends. No webhook subscribes to it."""

SECRET_PREFIX = "whsec_"

ID_BYTES = 15


def new_secret() -> str:
    """A secret as Standard Webhooks writes it: 192 random bits in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def callback_secret(key: bytes, owner: str) -> str:
    """The secret that signs what goes to an owner's `callback_url`s, derived from the installation's key."""
    return (
        SECRET_PREFIX
        + base64.b64encode(hmac.new(key, b"callbacks " + owner.encode(), hashlib.sha256).digest()).decode()
    )


def event_of(job: Job) -> str:
    """The type of the message for a job that has ended."""
    return f"job.{job.state}"


def body_of(job: Job) -> str:
    """The message for the end of a job: the status object as it was then."""
    # A message is for a machine, and is kept: it does not follow the language of a request in which it may be made.
    with in_language(ENGLISH):
        return body(event_of(job), rfc3339(job.finished_ms), status_object(job))


def workflow_body(workflow: EndedWorkflow) -> str:
    """The message for the end of a workflow: its state and each job's as they were then."""
    finished_at = rfc3339(round(workflow.ended_ms))
    data = {
        "workflow_id": workflow.id,
        "status": workflow.state,
        "finished_at": finished_at,
        "jobs": {name: {"job_id": job_id, "status": state} for name, (job_id, state) in sorted(workflow.jobs.items())},
        "status_url": f"/api/workflows/{workflow.id}",
    }
    return body(WORKFLOW_ENDED, finished_at, data)


def trial_body(webhook_id: str) -> str:
    """The message of a test."""
    return body(TEST, rfc3339(now_ms()), {"webhook_id": webhook_id})


def body(kind: str, timestamp: str | None, data: object) -> str:
    """A message as JSON. It is kept as it was first written: a signature is of bytes."""
    return msgspec.json.encode({"type": kind, "timestamp": timestamp, "data": data}).decode()


def message_id(job_id: str, number: int, target: str) -> str:
    """The id of the message to `target` for one end of a job: the same however often it is queued."""
    digest = hashlib.sha256(msgspec.json.encode([job_id, number, target])).hexdigest()
    return f"msg_{digest[: 2 * ID_BYTES]}"


def new_message_id() -> str:
    """An id that no other message has."""
    return f"msg_{secrets.token_hex(ID_BYTES)}"
