"""A completed reading of a real scan: its words are those that a test says, everything else is the task's own work."""

from io import BytesIO
from typing import Any

import msgspec
import pikepdf

from service.database import Document
from service.engine.job_files import checkpoint_path
from service.engine.store import Job
from service.engine.store.script_inputs import Claim, Outcome, as_json
from service.engine.worker.job_run import JobRun
from service.services import Services
from service.submission import submit
from tasks.ocr.pages import checkpoint_name
from tasks.ocr.text import assemble
from tasks.ocr.words import PageText, Word, encode
from tasks.pdf_ocr import PdfOcr, pdf_ocr
from tasks.sdk.types import REGISTRY
from tests.ocr.documents import scan_pdf

QUEUE = "pdf-processing"
DOUBT = "40% of the letters stand in words that were read with little certainty."


def read_page(*lines: str, number: int = 1, doubtful: str = "", doubt: str | None = DOUBT) -> PageText:
    """A page of these lines; the words of `doubtful` were read with little certainty."""
    words: list[Word] = []
    unsure = doubtful.split()
    for line, text in enumerate(lines):
        for place, word in enumerate(text.split()):
            box = (72.0 + 80 * place, 100.0 + 30 * line, 142.0 + 80 * place, 114.0 + 30 * line)
            sure = 0.4 if word in unsure else 0.99
            words.append(Word(word, box, sure, "ocr", len(words), line, 0))
    doubted = bool(unsure)
    return PageText(
        number, 595.2, 842.04, "ocr", words, assemble(words), 0.6 if doubted else 0.99, doubted,
        doubt if doubted else None, "rapidocr",
    )  # fmt: skip


async def uploaded(services: Services, owner: str = "acme", pages: int = 1, name: str = "letter.pdf") -> Document:
    """A scan of so many pages, stored."""
    data, _ = scan_pdf()
    if pages > 1:
        with pikepdf.open(BytesIO(data)) as pdf:
            for _ in range(pages - 1):
                pdf.pages.append(pdf.pages[0])
            made = BytesIO()
            pdf.save(made)
            data = made.getvalue()

    async def chunks() -> Any:
        yield data

    return await services.files.upload(chunks(), owner=owner, name=name)


async def begun(services: Services, document: Document, *pages: PageText, **options: Any) -> Job:
    """A reading that a worker has taken and whose pages are kept."""
    await submit(services, pdf_ocr, PdfOcr(file_id=document.file_id, **options), owner=document.owner)
    known = msgspec.msgpack.encode([one.name for one in REGISTRY.values() if one.queue == QUEUE])
    (job,) = (await services.store.claimed(Claim(QUEUE, "by-hand", 1, 60_000, known))).jobs
    for page in pages:
        await services.storage.put(checkpoint_path(job.id, checkpoint_name(page.page)), encode(page))
    return job


async def ended(services: Services, job: Job) -> Job:
    """Do the task's own work on a job that was taken, and record its end."""
    declared = REGISTRY[job.type]
    run = JobRun(job, services.runtime, services.pool)
    try:
        result = await declared.function(msgspec.convert(job.payload, declared.payload), run)
    finally:
        await run.close()
    fields = ["progress", 100, "message", getattr(result, "summary", "") or "Done", "artefacts", as_json(run.artefacts)]
    tags = [f"tag:{tag}" for tag in getattr(result, "tags", ())]
    outcome = Outcome(
        job.id, job.queue, job.fence, "completed", fields=fields, attempt=False, result=as_json(result), find=tags
    )
    assert await services.store.settled([outcome]) == ["completed"]
    return await services.store.present(job.id)


async def made_reading(services: Services, document: Document, *pages: PageText, **options: Any) -> Job:
    """A completed reading."""
    return await ended(services, await begun(services, document, *pages, **options))


async def artefact(services: Services, job: Job, name: str) -> bytes:
    """A file of a job as it is now."""
    job = await services.store.present(job.id)
    path = services.jobs.artefact(job, name)
    assert path is not None, name
    return await services.storage.get(path)
