"""report-pdf: rows over a range as a designed PDF, and a mail with it to each recipient."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from settings.amounts import counted
from settings.queues import Queue
from tasks.exports.dataset import reads_everything
from tasks.exports.progress_file import read_tally
from tasks.exports.selection import Selection, select
from tasks.mail.addresses import BadAddress, compared, deliverable
from tasks.mail_file import RECIPIENTS_MAX, Artefact, MailFile, mail_file
from tasks.ports.exports import Exports
from tasks.reports.gathering import Gather, Rows, gather
from tasks.reports.kind import Subject
from tasks.reports.kinds import KINDS
from tasks.reports.period import Period, read_period
from tasks.reports.setting import set_report
from tasks.sdk import MemoryCeiling, Meter, Payload, Permanent, Refused, Run, job
from tasks.sdk.types import REGISTRY

POLL_S = 0.2
"""Seconds between two reads of the child's progress: faster than the bar is drawn."""

FILE = "report.pdf"

ROWS = Meter("Building the report… {done} of {total} rows read", "rows_done", "total_rows", high=10)
PAGES = Meter("Building the report… page {done} of {total}", "pages_done", "total_pages", low=10, high=50)

TEXT = """The {title} of {whose}, {period} ({zone}), is attached: {pages}.
"""

RETENTION_NOTE = (
    "Jobs are kept for some days after they end, as each queue is set; those that are gone by now are not counted."
)


class ReportPdf(Payload, frozen=True):
    """`from` and `to` are days of `zone`, both included, or moments with their offset; `recipients` get it by mail.

    `owner` is for operators, who otherwise report on every owner: a key reports on its own owner alone.
    """

    report: Literal["activity", "usage", "deliveries", "jobs"]
    from_: Annotated[str, msgspec.Meta(max_length=40)] = msgspec.field(name="from")
    to: Annotated[str, msgspec.Meta(max_length=40)]
    owner: Annotated[str, msgspec.Meta(min_length=1, max_length=120)] | None = None
    recipients: list[str] = msgspec.field(default_factory=list)
    zone: Annotated[str, msgspec.Meta(max_length=80)] = "UTC"


class Made(msgspec.Struct, frozen=True):
    """Facts of a report that is set; kept, so that a retry neither reads nor sets again."""

    rows: int
    pages: int


class Report(msgspec.Struct):
    """Result: `mail_job_id` is the job that mails the report, None without recipients."""

    report: str
    rows: int
    pages: int
    bytes: int
    recipients: int
    mail_job_id: str | None


def whose(payload: ReportPdf, owner: str) -> str:
    """The owner whose rows are read. Raises Refused for another's."""
    if payload.owner is None or payload.owner == owner:
        return owner
    if not reads_everything(owner):
        raise Refused(
            "owner is for operators: an API key reports on its own owner's rows.", field="owner", status_code=403
        )
    return payload.owner


def addresses(payload: ReportPdf) -> list[str]:
    """The recipients, each once. Raises Refused, naming the first that cannot be written to."""
    if len(payload.recipients) > RECIPIENTS_MAX:
        raise Refused(
            f"recipients has {len(payload.recipients):,} addresses; {RECIPIENTS_MAX} are the limit.", field="recipients"
        )
    found: dict[str, str] = {}
    for given in payload.recipients:
        try:
            address = deliverable(given)
        except BadAddress as error:
            raise Refused(f"recipients: {given[:80]!r} is {error}.", field="recipients") from None
        found.setdefault(compared(address), address)
    return list(found.values())


def selections(payload: ReportPdf, owner: str, period: Period) -> list[Selection]:
    """Rows that the report reads, dataset by dataset."""
    bounds = {"from": period.start.isoformat(), "to": period.end.isoformat()}
    return [
        select(dataset, {column: bounds}, None, whose(payload, owner))
        for dataset, column in KINDS[payload.report].reads.items()
    ]


async def accepts(payload: ReportPdf, checks: Any) -> int:
    """Refuse what cannot be reported on. Returns about how many rows it will be."""
    addresses(payload)
    period = read_period(payload.from_, payload.to, payload.zone)
    chosen = selections(payload, checks.owner, period)
    return sum([int(await checks.use(Exports).count(one)) for one in chosen])


async def mails(payload: ReportPdf, parts: Any) -> int:
    """Number of recipients: the chained job sends each a message."""
    return len(addresses(payload))


@job(
    queue=Queue.CSV_EXPORT,
    accepts=accepts,
    mails=mails,
    personal=frozenset({"recipients"}),
    search_keys=("report",),
    expected_s=3.0,
    expected_unit_s=0.00005,
    unit="row",
)
async def report_pdf(payload: ReportPdf, run: Run) -> Report:
    """Make a report of activity, usage, deliveries or jobs as a PDF, and mail it to its recipients."""
    try:
        recipients = addresses(payload)
        period = read_period(payload.from_, payload.to, payload.zone)
        chosen = selections(payload, run.owner, period)
    except Refused as refused:
        raise Permanent(str(refused)) from None
    data, made = await _built(payload, run, period, chosen)
    await run.artefact(FILE, data, "application/pdf")
    await run.stage(
        90, f"The report is stored: {counted(made.pages, 'page')}", pages_done=made.pages, total_pages=made.pages
    )
    mail_job = None
    if recipients:
        mail = _mail(payload, run, period, made, recipients)
        mail_job = await run.then(mail_file, mail, units=len(recipients))
    await run.stage(99, f"Building the report… page {made.pages} of {made.pages}")
    return Report(payload.report, made.rows, made.pages, len(data), len(recipients), mail_job)


async def _built(payload: ReportPdf, run: Run, period: Period, chosen: list[Selection]) -> tuple[bytes, Made]:
    """The PDF, from an attempt before where one had set it. The facts are kept last: with them the file is whole."""
    facts, data = await run.recall("made"), await run.recall(FILE)
    if facts is not None and data is not None:
        return data, msgspec.json.decode(facts, type=Made)
    try:
        rows = await _gather(payload, run, period, chosen)
        async with _followed(run, run.scratch / "pages", PAGES):
            pages = await _set(run)
    except MemoryCeiling as error:
        raise Permanent(f"The report {error}: ask for a shorter range.") from None
    await run.progress(pages, pages, PAGES)
    made, data = Made(rows, pages), (run.scratch / FILE).read_bytes()
    await run.keep(FILE, data)
    await run.keep("made", msgspec.json.encode(made))
    return data, made


async def _set(run: Run) -> int:
    try:
        return await run.cpu(set_report, run.scratch, run.scratch / "pages")
    except MemoryCeiling:
        # A child that has set other reports holds what it kept of them; the one that takes its place starts with nothing.
        return await run.cpu(set_report, run.scratch, run.scratch / "pages")


async def _gather(payload: ReportPdf, run: Run, period: Period, chosen: list[Selection]) -> int:
    owner = whose(payload, run.owner)
    rows = []
    for one in chosen:
        folder = run.scratch / one.dataset.name
        folder.mkdir(exist_ok=True)
        source, query = await run.use(Exports).prepare(one, folder, lambda count: _collecting(run, count))
        names = tuple(column.name for column in one.columns)
        rows.append(Rows(one.dataset.name, source, query, names))
    request = Gather(
        report=payload.report,
        subject=Subject(
            period, None if reads_everything(owner) else owner, {name: kind.unit for name, kind in REGISTRY.items()}
        ),
        rows=rows,
        target=run.scratch / "document.json",
        tally=run.scratch / "rows",
        notes=(RETENTION_NOTE,) if "jobs" in KINDS[payload.report].reads else (),
    )
    async with _followed(run, request.tally, ROWS):
        return await run.cpu(gather, request)


async def _collecting(run: Run, rows: int) -> None:
    await run.stage(0, f"Building the report… {counted(rows, 'row')} collected")


def _followed(run: Run, tally: Path, meter: Meter) -> AbstractAsyncContextManager[None]:
    async def follow() -> None:
        while True:
            if seen := read_tally(tally):
                await run.progress(*seen, meter)
            await asyncio.sleep(POLL_S)

    return run.beside(follow())


def _mail(payload: ReportPdf, run: Run, period: Period, made: Made, recipients: list[str]) -> MailFile:
    title = f"{KINDS[payload.report].title} report"
    owner = whose(payload, run.owner)
    owner = "all owners" if reads_everything(owner) else owner
    text = TEXT.format(
        title=title.lower(), whose=owner, period=period.words, zone=period.zone, pages=counted(made.pages, "page")
    )
    attach = Artefact(job_id=run.job_id, name=FILE)
    return MailFile(recipients=recipients, subject=f"{title}: {period.words}", text=text, attach=attach)
