"""Taking a file of this machine in: stored once, and read once, however often and by however many programs it is tried."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.cli.client import Api, Denied
from service.documents.media_types import SNIFF_BYTES, media_type_of

UNIQUE_S = 30 * 86_400
"""Seconds for which two requests to read the same bytes are one: the longest that the API takes."""

READ_BYTES = 1 << 20

UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")
"""Endings of files that other programs are still writing."""

NOTHING = "none"
"""In the place of a job type: the document is stored, and nothing is done with it."""


@dataclass(frozen=True)
class Intake:
    """Result for one file. `outcome` is queued, stored, or read already; `job_id` is empty for a stored one."""

    outcome: str
    file_id: str
    job_id: str = ""


def take_in(api: Api, path: Path, *, job: str, priority: str, again: bool) -> Intake:
    """Upload a file, unless its bytes are there, and queue a job for it, unless one has read them.

    Repeating it after any interruption makes no second document and no second job. `again` queues a job all the same.
    Raises Denied where the server refuses the file, Unavailable, OSError.
    """
    sha256 = digest_of(path)
    known = api.documents_of(sha256)
    earlier = known[0].get("read_by") if known and job == "pdf-ocr" else None
    if earlier and not again:
        return Intake("read already", known[0]["file_id"], earlier)
    document = known[0] if known else api.upload(path, reuse=True)
    if job == NOTHING:
        return Intake("stored", document["file_id"])
    body = {"file_id": document["file_id"], "priority": priority}
    if not again:
        # The digest of the server: the file may have changed since it was looked at.
        body |= {"unique_key": f"sha256:{document['sha256']}", "unique_for_s": UNIQUE_S}
    return Intake("queued", document["file_id"], api.submit(job, body)["job_id"])


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            found.update(data)
    return found.hexdigest()


def files_below(folder: Path, leave_out: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Files below a folder in the order of their paths, without hidden and unfinished ones and without the folders of
    `leave_out`. Links to folders are not followed."""
    for current, folders, names in os.walk(folder):
        here = Path(current)
        folders[:] = sorted(one for one in folders if not one.startswith(".") and here / one not in leave_out)
        for name in sorted(names):
            if not name.startswith((".", "~$")) and not name.lower().endswith(UNFINISHED):
                yield here / name


def reason_against(path: Path) -> str | None:
    """Reason why a file is not worth sending: a sentence, or None."""
    if path.is_symlink():
        return "It is a link, and links are not followed."
    if not path.is_file():
        return "It is not a file."
    with path.open("rb") as file:
        head = file.read(SNIFF_BYTES)
    if not head:
        return "It is empty."
    return None if media_type_of(head) else "It is not a PDF, image or video."


__all__ = ["NOTHING", "Denied", "Intake", "digest_of", "files_below", "reason_against", "take_in"]
