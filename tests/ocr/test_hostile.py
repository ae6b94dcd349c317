"""A page made to harm its reader costs one try, a sentence, and no neighbour."""

import zlib
from io import BytesIO

import pikepdf
import pytest
from pikepdf import Array, Name, Stream

from tasks.ocr import pages
from tasks.pdf_ocr import PdfOcr, pdf_ocr
from tasks.sdk.errors import Permanent
from tasks.sdk.testing import LocalRun
from tests.ocr import documents

pytestmark = pytest.mark.asyncio(loop_scope="session")


def packed_thrice(megabytes: int) -> bytes:
    """A page whose content is a kilobyte that unpacks to so many megabytes of paths."""
    packer, piece = zlib.compressobj(9), b"0 0 m 9 9 l S\n" * 75_000
    content = b"".join(packer.compress(piece) for _ in range(megabytes)) + packer.flush()
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(612, 792))
    stream = Stream(pdf, zlib.compress(zlib.compress(content, 9), 9))
    stream.Filter = Array([Name.FlateDecode] * 3)
    pdf.pages[0].obj.Contents = pdf.make_indirect(stream)
    file = BytesIO()
    pdf.save(file, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return file.getvalue()


async def test_content_that_unpacks_without_end_is_tried_once(run: LocalRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_TIMEOUT_S", 3.0)
    data = packed_thrice(800)
    assert len(data) < 10_000
    run.files.add("bomb", data)
    with pytest.raises(
        Permanent,
        match=r"^(Reading the page took longer than 3 s|The page crashes the reader|Reading the page takes too much)",
    ):
        await run.execute(pdf_ocr, PdfOcr(file_id="bomb"))
    assert run.attempt == 1
    assert len([event for event, _ in run.lines if event == "page failed"]) <= pages.PAGE_TRIES


@pytest.mark.slow
async def test_content_that_unpacks_without_end_costs_its_neighbours_nothing(
    run: LocalRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_TIMEOUT_S", 5.0)
    run.files.add("mixed", documents.joined(documents.text_pdf(words=20)[0], packed_thrice(800)))
    result = await run.execute(pdf_ocr, PdfOcr(file_id="mixed"))
    assert (result["text_layer_pages"], [failed["page"] for failed in result["failed_pages"]]) == (1, [2])
