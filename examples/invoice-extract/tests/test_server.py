"""The whole in a real Offload: upload, OCR, and the job that follows it, each in its own process."""

import json
from pathlib import Path

from pdf import pdf_of

from offload.testing.server import Server


def test_an_invoice_from_upload_to_total(offload_server: Server, tmp_path: Path) -> None:
    scan = tmp_path / "invoice.pdf"
    scan.write_bytes(pdf_of(["Invoice No. 2026-0417", "Date: 2026-04-17", "Total: 1284.50 EUR"]))
    ocr = offload_server.submit("pdf-ocr", {"file_id": offload_server.upload(scan)})
    assert offload_server.wait(ocr)["status"] == "completed", offload_server.log()
    found = offload_server.wait_for_job("invoice-extract")
    assert found["message"] == "Invoice 2026-0417 of 2026-04-17: 1284.50 EUR"
    assert json.loads(offload_server.file(found["id"], "invoice.json")) == found["result"]
