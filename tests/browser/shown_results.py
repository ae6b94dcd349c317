"""Jobs that have made something, for pictures of what their pages show of it. All of it is made up."""

import io
from collections.abc import AsyncIterator

import msgspec
from PIL import Image, ImageDraw, ImageFont

from service.database import Campaign, Delivery
from service.documents.thumbnails.store import ThumbnailStore
from service.engine.job_files import checkpoint_path
from service.engine.store import LogLine
from service.lib.clock import now_ms
from tasks.csv_export import Export
from tasks.email_batch import EmailBatch
from tasks.images.thumbnails import Thumbnail
from tasks.images.variants import Variant
from tasks.ocr.pages import checkpoint_name
from tasks.ocr.words import PageText, Word, encode
from tasks.sdk.types import REGISTRY
from tasks.thumbnails import ThumbnailsOf
from tests.dashboard.made import Anything, Maker

LETTER = (
    "Linn is an extremely powerful yet amazingly simple",
    "to learn and use language, which was developed to",
    "describe what is, and not how it came to be so.",
    "",
    "A page is read once, and kept as it was read: a job",
    "that is taken up again begins where it had ended.",
)


async def show_results(made: Maker, name: str) -> dict[str, str]:
    """The address that a picture wants, by what it is called; nothing for pictures of other pages."""
    makers = {
        "job-text": _text,
        "job-log": _text,
        "job-runs": _text,
        "job-export": _export,
        "job-edit": _edited,
        "job-campaign": _campaign,
        "job-thumbnails": _thumbnails,
    }
    if name not in makers:
        return {}
    job_id = await makers[name](made)
    ending = {"job-log": "/log", "job-edit": "/edit", "job-runs": "#history"}.get(name, "#preview")
    return {name.replace("-", " ", 1): f"jobs/{job_id}{ending}"}


async def _text(made: Maker) -> str:
    for ran in range(1, 30):
        job = await made.active()
        await (made.failed(job) if ran % 9 == 0 else made.completed(job))
        await made.store.redis.hincrby(f"offload:job:{job.id}", "finished_ms", 4_000 + 2_900 * (ran * 7 % 11))
    file_id = await _uploaded(made, _sheet(LETTER), "letter.png")
    job = await made.active(payload=Anything(file_id=file_id))
    words = [Word(word, (60, 80, 90, 92), 0.94, "ocr") for line in LETTER for word in line.split()]
    page = PageText(1, 595, 842, "ocr", words, "\n".join(LETTER), 0.94, engine="easyocr")
    await made.services.storage.put(checkpoint_path(job.id, checkpoint_name(1)), encode(page))
    events = (
        ("info", "engine ready", {"engine": "easyocr"}),
        ("warning", "page failed", {"page": "2", "attempt": "1"}),
    )
    lines = [
        LogLine(now_ms() + 400 * n, level, 1, event, fields)
        for n, (level, event, fields) in enumerate((*events, ("info", "page read", {"page": "2", "words": "214"})))
    ]
    await made.store.logged(job.id, [msgspec.json.encode(line) for line in lines])
    await made.progressed(job, 95, "Text assembled", total_pages=3, pages_processed=3)
    return await made.completed(
        job, {"text.txt": ("\n".join(LETTER).encode(), "text/plain")}, {"pages": 3, "words": 612}
    )


async def _export(made: Maker) -> str:
    job = await made.active(
        REGISTRY["csv-export"], payload=Export(dataset="jobs", columns=["job_id", "type", "status"])
    )
    rows = "".join(f"pdf-ocr-{7_919 * n:06x},pdf-ocr,{'failed' if n % 7 == 0 else 'completed'}\n" for n in range(1, 60))
    files = {"export.csv": (f"job_id,type,status\n{rows}".encode(), "text/csv; charset=utf-8")}
    return await made.completed(job, files, {"dataset": "jobs", "rows": 41_902})


async def _edited(made: Maker) -> str:
    payload = Export(dataset="jobs", columns=["job_id", "type"], query_params={"type": "pdf-ocr"})
    return await made.failed(
        await made.active(REGISTRY["csv-export"], payload=payload), error="no column is called typ"
    )


async def _campaign(made: Maker) -> str:
    payload = EmailBatch(template_id="welcome", segment="active")
    job = await made.active(REGISTRY["email-batch"], payload=payload)
    answers = {7: ("bounced", 550, "5.1.1 no such user here"), 11: ("unknown", None, "the connection broke off")}
    async with made.services.database.writing() as session:
        session.add(
            Campaign(
                campaign_id=job.id, owner="acme", template_id="welcome", name="Welcome", subject="Welcome", html="",
                text="", recipients=40, to_send=40,
            )
        )  # fmt: skip
        await session.flush()
        for n in range(1, 41):
            status, code, reply = (
                answers.get(n, ("sent", 250, "2.0.0 Ok: queued")) if n < 20 else ("pending", None, None)
            )
            email = f"reader{n}@example.com"
            session.add(
                Delivery(
                    campaign_id=job.id, position=n, user_id=100 + n, email=email, address=email, status=status,
                    smtp_code=code, smtp_text=reply, message_id=f"<{n}@example.com>",
                )
            )  # fmt: skip
    await made.progressed(job, 47, "Sending 19 of 40 (47%)", emails_sent=19, total_emails=40)
    return job.id


async def _thumbnails(made: Maker) -> str:
    names = ("contract.png", "invoice.png", "letter.png", "sealed.pdf", "plan.png", "minutes.png")
    ids = [await _uploaded(made, _sheet((name, *LETTER)), name.replace("pdf", "png")) for name in names]
    for file_id, name in zip(ids, names, strict=True):
        picture = Image.open(io.BytesIO(_sheet((name, *LETTER)))).resize((212, 300))
        data = io.BytesIO()
        picture.save(data, "WEBP")
        document = await made.services.files.describe(file_id)
        made_now = Thumbnail(Variant(300, "webp"), 212, 300, data.getvalue())
        await ThumbnailStore(made.services.storage).keep(document.sha256, [made_now])
    job = await made.active(REGISTRY["thumbnails"], payload=ThumbnailsOf(document_ids=ids))
    sealed = [{"document_id": ids[3], "reason": "The PDF is encrypted and needs a password; upload it without one."}]
    return await made.completed(job, result={"documents": 6, "made": 5, "failed": 1, "failed_documents": sealed})


async def _uploaded(made: Maker, content: bytes, name: str) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return (await made.services.files.upload(chunks(), owner="acme", name=name)).file_id


def _sheet(lines: tuple[str, ...]) -> bytes:
    """A sheet of paper with some lines on it, as a PNG."""
    sheet = Image.new("RGB", (595, 842), "#fdfcf8")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=20)
    for number, line in enumerate(lines):
        draw.text((50, 70 + 34 * number), line, fill="#20242c", font=font)
    data = io.BytesIO()
    sheet.save(data, "PNG")
    return data.getvalue()
