"""A job type that follows each `pdf-ocr`: number, date and total of an invoice, from its text."""

import msgspec

from invoice_extract.reading import read_invoice
from tasks.sdk import Finished, Payload, Run, job, queue

OFFLOAD_SDK = "1.0"

# Reading a text takes milliseconds: many at once are still no work.
INVOICES = queue("invoices", jobs_at_once=10, retries=2, timeout_s=60)


class InvoiceExtract(Payload, frozen=True):
    """A completed job of the type pdf-ocr."""

    ocr_job_id: str


class InvoiceFound(msgspec.Struct):
    """Number, date and total of an invoice; None for one that its text does not hold."""

    number: str | None
    date: str | None
    total: str | None
    currency: str | None

    @property
    def summary(self) -> str:
        """The message of the completed job."""
        if self.number is None:
            return "No invoice number found"
        return f"Invoice {self.number} of {self.date or 'no date'}: {self.total or 'no total'} {self.currency or ''}".strip()

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags by which the job is found."""
        return ("invoice",) if self.number else ()


def after_ocr(finished: Finished) -> InvoiceExtract:
    """Look through whatever was read."""
    return InvoiceExtract(ocr_job_id=finished.job_id)


@job(queue=INVOICES, search_keys=("ocr_job_id",), expected_s=0.2, after="pdf-ocr", follow=after_ocr)
async def invoice_extract(payload: InvoiceExtract, run: Run) -> InvoiceFound:
    """Read number, date and total of an invoice that pdf-ocr has read."""
    text = (await run.artefact_of(payload.ocr_job_id, "text.txt")).decode()
    found = InvoiceFound(**read_invoice(text))
    await run.artefact("invoice.json", msgspec.json.encode(found), "application/json")
    return found
