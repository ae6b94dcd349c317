"""Requests of the tests of this folder, and the scans that they send."""

import io

import httpx
import pikepdf
from PIL import Image

from tests.deploy.containers.images import ROOT

SCAN = ROOT / "samples" / "scan.pdf"


def upload(client: httpx.Client, content: bytes, name: str = "scan.pdf") -> str:
    answer = client.post("/api/files", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["file_id"])


def submit(client: httpx.Client, kind: str, payload: dict[str, object]) -> str:
    answer = client.post(f"/api/jobs/{kind}", json=payload)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def picture(size: tuple[int, int]) -> bytes:
    """A PNG of this size in one colour: a small file with many pixels."""
    written = io.BytesIO()
    Image.new("RGB", size, "navy").save(written, "PNG")
    return written.getvalue()


def repeated(pages: int) -> bytes:
    """The sample's three scanned pages, over and over, each with its picture of its own."""
    with pikepdf.open(SCAN) as sample, pikepdf.new() as made:
        for _ in range(pages // len(sample.pages)):
            # From a source of its own each time: pikepdf would let all of them share three pictures.
            with pikepdf.open(SCAN) as again:
                made.pages.extend(again.pages)
        written = io.BytesIO()
        made.save(written)
    return written.getvalue()
