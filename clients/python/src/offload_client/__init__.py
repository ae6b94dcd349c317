"""Client of the Offload job system.

with Client("https://offload.example", key) as offload:
    file = offload.upload("scan.pdf")
    job = offload.submit("pdf-ocr", {"file_id": file.file_id})
    job.wait()
    job.download("text.txt", "scan.txt")
"""

from offload_client.aio import AsyncClient, AsyncJob
from offload_client.client import Client, Job
from offload_client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    JobFailed,
    NotAllowed,
    NotFound,
    OffloadError,
    ServerError,
    TooMany,
    Unreachable,
    WaitTimeout,
)
from offload_client.models import Accepted, Artefact, Attempt, File, JobDetail, Status, Ticket, Webhook, WebhookMade

__all__ = [
    "Accepted", "ApiError", "Artefact", "AsyncClient", "AsyncJob", "Attempt", "BadRequest", "Client", "Conflict", "File", "Job",
    "JobDetail", "JobFailed", "NotAllowed", "NotFound", "OffloadError", "ServerError", "Status", "Ticket", "TooMany",
    "Unreachable", "WaitTimeout", "Webhook", "WebhookMade",
]  # fmt: skip
