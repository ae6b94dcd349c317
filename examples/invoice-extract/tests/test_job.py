"""The job and its place in the chain, without a server."""

import json
from pathlib import Path

import pytest
from invoice_extract import InvoiceExtract, invoice_extract
from pdf import pdf_of

from offload.testing import LocalRun, assert_enqueued, drain
from tasks.pdf_ocr import PdfOcr, pdf_ocr
from tasks.sdk import Permanent


async def test_it_follows_a_reading(tmp_path: Path) -> None:
    run = LocalRun(tmp_path, job_id="pdf-ocr-1")
    file_id = run.files.add("scan", pdf_of(["Invoice No. 2026-0417", "Date: 2026-04-17", "Total: 1284.50 EUR"]))
    await run.execute(pdf_ocr, PdfOcr(file_id=file_id))
    assert_enqueued(run, "invoice-extract", ocr_job_id="pdf-ocr-1")
    (done,) = await drain(run)
    assert done.error is None and done.result["number"] == "2026-0417"
    assert json.loads(done.run.artefact_bytes("invoice.json"))["total"] == "1284.50"


async def test_a_reading_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="There is no job"):
        await LocalRun(tmp_path).execute(invoice_extract, InvoiceExtract(ocr_job_id="pdf-ocr-none"))
