"""Guide to the errors of the API: for each status code its meaning, a body as it comes, what a client does, and whether a
retry helps. The pages at /docs/errors show it.
"""

from collections.abc import Mapping

from service.api.error_guide_page import AFTER, Cause, Guide, cause, example_of
from service.api.error_table import BROKEN, BadRequest
from service.api.schemas import ErrorBody, FieldError
from service.documents.checksums import BadChecksum, ChecksumMismatch
from service.documents.corrections.rows import PageChanged
from service.documents.malware import Infected, NotScanned
from service.documents.store import NoSuchFile
from service.documents.upload_errors import NoSuchUpload, OffsetConflict, TooManyUploads, UploadExpired
from service.engine.redis.away import QueueServerAway
from service.engine.schedules.owned import NameTaken, TooManySchedules
from service.engine.schedules.records import NoSuchSchedule
from service.engine.store import (
    AcrossServers,
    IdempotencyConflict,
    NoSuchJob,
    NoSuchWorkflow,
    NotReplicated,
    OverLimit,
    WrongState,
)
from service.engine.store.errors import TooManyToRead
from service.lib.encryption import Unreadable
from service.lib.outages import Outage
from service.mail.templates import NoSuchTemplate
from service.monitoring.owner_alerts import AlertConflict, NoSuchAlertAddress, TooManyAlertAddresses
from service.webhooks.rows import NoSuchDelivery, NoSuchWebhook, NotDeliverable, TooManyWebhooks
from tasks.sdk.errors import Refused

PATH = "/docs/errors"

_JOB = "pdf-ocr-9cf3a23f85d7a55a7339"

_GUIDES = (
    Guide(
        400,
        "Something in the request is wrong: the body, a parameter or a header. Nothing was done.",
        "Read errors: each entry names a field and says what it takes. Correct these fields and send the request again.",
        example_of(BadRequest(FieldError("priority", "priority is high, normal or low, not 'urgent'."))),
        causes=(
            cause(BadRequest, "Fields are wrong, or unknown.", "Correct the fields that errors names."),
            cause(
                Refused, "A value cannot be used, such as a dataset that does not exist.", "Take one that detail lists."
            ),
            Cause(
                "bad-form", "The body is not a form with a file.", "Send multipart/form-data with a part named file."
            ),
            cause(
                BadChecksum,
                "The header Upload-Checksum cannot be read.",
                "Send the algorithm and the digest in Base64.",
            ),
            cause(
                AcrossServers, "Jobs of one request stand on several queue servers.", "Send those of each queue alone."
            ),
            cause(TooManyToRead, "A search would read the logs of too many jobs.", "Narrow it by created: or queue:."),
        ),
    ),
    Guide(
        401,
        "There is no valid API key or ticket in the request.",
        "Send the key as Authorization: Bearer KEY. A ticket that has ended is replaced by POST /api/jobs/{job_id}/ticket.",
        ErrorBody(401, "Send an API key as Authorization: Bearer <key>.", []),
    ),
    Guide(
        403,
        "The key or ticket is valid, and may not do this.",
        "Ask the operator for a key with the scope that detail names. A ticket reads only its own job.",
        ErrorBody(403, "This API key may not do that: it lacks the scope operate.", []),
    ),
    Guide(
        404,
        "There is nothing at this address, or it is another owner's; both look the same from outside.",
        "Check the id and that the key belongs to the owner who made it. A file of a job that still runs is there later.",
        example_of(NoSuchJob(_JOB)),
        "No, but for a file of a job that still runs: ask for the job's status, and for the file once it is completed.",
        (
            cause(
                NoSuchJob, "The owner has no such job, or it was deleted.", "Finished jobs are kept for a bounded time."
            ),
            cause(NoSuchFile, "The owner has no such document.", "Upload it, and use the file_id of the answer."),
            cause(NoSuchTemplate, "The owner has no such template.", "List the templates with GET /api/templates."),
            cause(NoSuchWorkflow, "The owner has no such workflow.", "Use the workflow_id of the answer to POST."),
            cause(NoSuchSchedule, "The owner has no such schedule.", "List the schedules with GET /api/schedules."),
            cause(
                NoSuchAlertAddress,
                "The owner has no such alert address.",
                "List the addresses with GET /api/owner-alerts.",
            ),
            cause(NoSuchWebhook, "The owner has no such webhook.", "List the webhooks with GET /api/webhooks."),
            cause(NoSuchDelivery, "The webhook has no such delivery.", "Deliveries are kept for a bounded time."),
            cause(NoSuchUpload, "There is no such unfinished upload.", "Begin again with POST /api/uploads."),
            Cause("no-such-type", "There is no job type of that name.", "The reference at /schema lists the types."),
            Cause("nothing-here", "No route has this address.", "The reference at /schema lists the routes."),
        ),
    ),
    Guide(
        405,
        "The address exists, and not with this method.",
        "Read the header Allow, or the reference at /schema.",
        ErrorBody(405, "PUT is not allowed here.", []),
    ),
    Guide(
        406,
        "The answer cannot be had in a format that the header Accept names.",
        "Send Accept: text/event-stream for server-sent events, or open a WebSocket at the same address.",
        ErrorBody(406, "Events come as text/event-stream, or over a WebSocket at the same address.", []),
    ),
    Guide(
        409,
        "The request conflicts with the present state of what it is about.",
        "Read the present state with GET, and decide again. detail names what stands against it.",
        example_of(IdempotencyConflict("scan-1", _JOB)),
        causes=(
            cause(
                WrongState,
                "The job's state forbids the action.",
                "Failed jobs can be retried, unfinished ones cancelled.",
            ),
            cause(
                IdempotencyConflict,
                "The Idempotency-Key was used for another body.",
                "Use a new key for a new request.",
            ),
            cause(
                PageChanged,
                "The page was changed since it was read.",
                "Read the page again; errors has its present words.",
            ),
            cause(NameTaken, "A schedule has that name.", "Choose another name, or change that schedule."),
            cause(TooManySchedules, "The owner has as many schedules as it may have.", "Delete one."),
            cause(TooManyAlertAddresses, "The owner has as many alert addresses as it may have.", "Delete one."),
            cause(
                AlertConflict,
                "The alert address is not in a state for that, or the installation sends no mail.",
                "Read its state with GET /api/owner-alerts; a mail server is set by the operator.",
            ),
            cause(TooManyWebhooks, "The owner has as many webhooks as it may have.", "Delete one."),
            cause(NotDeliverable, "The delivery cannot be sent now.", "detail says why."),
            cause(Infected, "The document is in quarantine: malware was found in it.", "Upload a clean one."),
            cause(
                OffsetConflict,
                "The piece does not begin where the stored bytes end.",
                "HEAD gives the offset to send from.",
            ),
        ),
    ),
    Guide(
        410,
        "The upload was not finished in time, or parts of it are gone.",
        "Begin it again with POST /api/uploads.",
        example_of(Refused("Earlier pieces of this upload are gone: begin it again.", field="file", status_code=410)),
        causes=(cause(UploadExpired, "It was not finished in time.", "Begin it again."),),
    ),
    Guide(
        412,
        "The header Tus-Resumable names no version of the protocol that is spoken here.",
        "Send the version that the header Tus-Version of the answer names.",
        ErrorBody(412, "Tus-Resumable is 1.0.0 here.", []),
    ),
    Guide(
        413,
        "The file, or the body, is larger than is taken here.",
        "Send a smaller file: detail names the limit. Split a document with too many pages.",
        example_of(Refused("big.pdf is too large: the limit is 200 MB.", field="file", status_code=413)),
    ),
    Guide(
        415,
        "The file is of another kind than is wanted here. Its content decides, not its name.",
        "Send a PDF, a picture or a video, as the route wants. A damaged file is taken for none of them.",
        example_of(Refused("notes.docx is not a PDF or an image.", field="file", status_code=415)),
    ),
    Guide(
        416,
        "The header Range asks for bytes that the file does not have.",
        "Read its size from Content-Range, and ask for a range within it.",
        ErrorBody(416, "The range is not within the 2077 bytes of text.txt.", []),
    ),
    Guide(
        422,
        "What was sent was understood, and cannot be worked on: malware was found, or the document can have no such picture.",
        "detail says why. Send another document.",
        example_of(
            Refused(
                "Malware was found in invoice.pdf: Eicar. It is in quarantine as 4f2a.", field="file", status_code=422
            )
        ),
    ),
    Guide(
        429,
        "A limit is reached: of the owner's plan, or of wrong keys from one address.",
        "Wait for Retry-After seconds, and send less at once. detail names the limit.",
        example_of(OverLimit("acme has 1,000 queued jobs, as many as its plan permits", 30)),
        AFTER,
        (
            cause(
                OverLimit,
                "The owner is at a limit of its plan.",
                "Wait for room, or ask the operator for a larger plan.",
            ),
            cause(TooManyUploads, "The owner has too many unfinished uploads.", "Finish or delete some."),
            Cause(
                "too-many-failures", "Too many wrong keys came from this address.", "Correct the key before you go on."
            ),
        ),
    ),
    Guide(
        460,
        "The bytes that came are not those of the checksum: the piece was damaged on its way, and not stored.",
        "Send the piece again from the same offset.",
        example_of(ChecksumMismatch("the bytes are not those of Upload-Checksum")),
        "Yes, at once: nothing of the piece was stored.",
        (cause(ChecksumMismatch, "The digest of the piece is another.", "Send it again."),),
    ),
    Guide(
        500,
        "Something went wrong on the side of the service. It is logged with its trace.",
        "Tell the operator when it happened and what was asked for.",
        ErrorBody(500, BROKEN, []),
        "Perhaps: once, with the same Idempotency-Key. If it comes again, the operator has to act.",
        (
            cause(Unreadable, "A stored file cannot be decrypted.", "The operator has to put its key back."),
            Cause("broken", "An error that was not foreseen.", "Tell the operator."),
        ),
    ),
    Guide(
        503,
        "A part of the service is out of reach. Nothing that was accepted before is lost.",
        "Wait for Retry-After seconds, and send the same request with the same Idempotency-Key.",
        example_of(QueueServerAway("the queue server of media")),
        AFTER,
        (
            cause(QueueServerAway, "The server of some queues does not answer.", "Other queues go on."),
            cause(
                NotReplicated,
                "No replica has confirmed the job yet; it may be queued.",
                "The same Idempotency-Key finds it.",
            ),
            cause(NotScanned, "The malware scanner has not seen the document yet.", "Ask again."),
            cause(Outage, "The database, the storage or a queue server is away.", "Ask again."),
        ),
    ),
    Guide(
        507,
        "A disk, or the database's, is full. Nothing was stored.",
        "Tell the operator: room has to be made.",
        ErrorBody(507, "The disk of this machine is full; try again.", []),
        AFTER,
        (Cause("full", "There is no room to store it.", "Wait until the operator has made room."),),
    ),
)


GUIDES: Mapping[int, Guide] = {guide.status_code: guide for guide in _GUIDES}
"""Pages by status code, in the order of the codes."""


def link_to_guide(status_code: int, reason: str = "") -> str:
    """Value of the header Link of an error: the page of its code, and the part about its kind where there is one."""
    guide = GUIDES.get(status_code)
    known = guide is not None and any(reason == cause.name for cause in guide.causes)
    return f'<{PATH}/{status_code}{f"#{reason}" if known else ""}>; rel="help"'
