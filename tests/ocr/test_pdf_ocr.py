"""The job from document to artefacts, with a real pool and the real engine."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pypdfium2
import pytest

from service.lib.outages import Outage, outage_of
from tasks.ocr import pages
from tasks.ocr.engines import NotPrepared
from tasks.ocr.page import Reading
from tasks.ocr.words import decode
from tasks.pdf_ocr import PdfOcr, pdf_ocr
from tasks.sdk.errors import Permanent
from tasks.sdk.testing import LocalRun
from tests.ocr import documents
from tests.ocr.score import recall

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_scan_becomes_text(run: LocalRun) -> None:
    data, truth = documents.scan_pdf(pages=2)
    run.files.add("scan", data)
    result = await pdf_ocr.function(PdfOcr(file_id="scan"), run)
    text = run.artefact_bytes("text.txt").decode()
    assert result.pages == result.ocr_pages == 2
    assert result.failed_pages == []
    assert [recall(page, true) > 0.9 for page, true in zip(text.split("\f"), truth, strict=False)] == [True, True]


async def test_what_was_read_can_be_searched_and_had_as_hocr(run: LocalRun) -> None:
    data, truth = documents.scan_pdf()
    run.files.add("scan", data)
    await pdf_ocr.function(PdfOcr(file_id="scan", engine="rapidocr", hocr=True), run)
    found = pypdfium2.PdfDocument(run.artefact_bytes("searchable.pdf"))[0].get_textpage().get_text_range()
    assert recall(found, truth[0]) > 0.95
    page = ElementTree.fromstring(run.artefact_bytes("hocr.html"))
    words = [
        node.text or "" for node in page.iter("{http://www.w3.org/1999/xhtml}span") if node.get("class") == "ocrx_word"
    ]
    assert recall(" ".join(words), truth[0]) > 0.95


async def test_a_document_that_gained_no_text_gets_no_searchable_copy(run: LocalRun) -> None:
    data, _ = documents.text_pdf()
    run.files.add("text", data)
    await pdf_ocr.function(PdfOcr(file_id="text"), run)
    assert sorted(path.name for path in (run.folder / "artefacts").iterdir()) == ["pages.json", "text.txt"]


async def test_progress_rises_through_its_stages(run: LocalRun) -> None:
    data, _ = documents.text_pdf(pages=4)
    run.files.add("text", data)
    await pdf_ocr.function(PdfOcr(file_id="text"), run)
    percents = [percent for percent, _, _ in run.stages]
    assert percents == sorted(percents)
    assert percents[0] == 10
    assert percents[-1] == 95
    assert (90, "Processing page 4 of 4 (90%)", {"pages_processed": 4, "total_pages": 4}) in run.stages


@pytest.mark.parametrize("count", [1, 12])
async def test_the_bar_says_so_while_networks_are_prepared(
    run: LocalRun, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    data, _ = documents.text_pdf(pages=count, words=10)
    run.files.add("text", data)
    monkeypatch.setattr(pages, "read_page", want_networks_once)
    monkeypatch.setattr(pages, "wants_preparing", always)
    monkeypatch.setattr(pages, "prepare_engine", do_nothing)
    result = await pdf_ocr.function(PdfOcr(file_id="text"), run)
    assert result.text_layer_pages == count
    messages = [message for _, message, _ in run.stages]
    assert messages[:2] == ["The file is there", "Preparing the OCR models (first use)…"]


async def test_networks_that_cannot_be_prepared_stop_no_page_that_needs_none(
    run: LocalRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = documents.text_pdf(pages=12, words=10)
    run.files.add("text", data)
    monkeypatch.setattr(pages, "wants_preparing", always_fail)
    result = await pdf_ocr.function(PdfOcr(file_id="text"), run)
    assert result.text_layer_pages == 12
    assert [fields["reason"] for event, fields in run.lines if event == "not prepared"] == ["ValueError: torn"]


async def test_a_text_layer_is_taken_as_it_is(run: LocalRun) -> None:
    data, truth = documents.text_pdf(pages=1)
    run.files.add("text", data)
    result = await pdf_ocr.function(PdfOcr(file_id="text"), run)
    assert result.text_layer_pages == 1
    written = json.loads(run.artefact_bytes("pages.json"))
    page = written["pages"][0]
    assert recall(page["text"], truth[0]) == 1.0
    assert {word["source"] for word in page["words"]} == {"text-layer"}
    assert [word["order"] for word in page["words"]] == list(range(len(page["words"])))
    assert all(0 <= word["box"][0] < word["box"][2] <= page["width"] for word in page["words"])
    assert all(0 <= word["box"][1] < word["box"][3] <= page["height"] for word in page["words"])


async def test_a_blank_page_is_blank(run: LocalRun) -> None:
    run.files.add("blank", documents.blank_pdf())
    result = await pdf_ocr.function(PdfOcr(file_id="blank"), run)
    assert (result.blank_pages, result.words) == (1, 0)


async def test_a_long_document_is_read_in_parts_of_ten(run: LocalRun) -> None:
    data, truth = documents.text_pdf(pages=23, words=20)
    run.files.add("long", data)
    result = await pdf_ocr.function(PdfOcr(file_id="long"), run)
    assert [(part.first, part.last) for part in run.part_payloads] == [(1, 10), (11, 20), (21, 23)]
    assert result.pages == result.text_layer_pages == 23
    texts = run.artefact_bytes("text.txt").decode().split("\f")
    assert [recall(text, true) for text, true in zip(texts, truth, strict=False)] == [1.0] * 23


async def test_a_retry_reads_only_what_is_missing(run: LocalRun) -> None:
    data, _ = documents.text_pdf(pages=3)
    run.files.add("text", data)
    await pdf_ocr.function(PdfOcr(file_id="text"), run)
    second = run.folder / "kept" / "pages" / "0002.json"
    first = run.folder / "kept" / "pages" / "0001.json"
    second.unlink()
    before = first.stat().st_mtime_ns
    result = await pdf_ocr.function(PdfOcr(file_id="text"), run)
    assert result.text_layer_pages == 3
    assert first.stat().st_mtime_ns == before
    assert decode(second.read_bytes()).page == 2


async def test_a_page_that_cannot_be_read_is_listed_and_the_rest_goes_on(
    run: LocalRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = documents.text_pdf(pages=3)
    run.files.add("text", data)
    monkeypatch.setattr(pages, "read_page", hang_on_page_two)
    monkeypatch.setattr(pages, "PAGE_TIMEOUT_S", 2.0)
    result = await pdf_ocr.function(PdfOcr(file_id="text"), run)
    assert [(failure.page, failure.reason) for failure in result.failed_pages] == [
        (2, "Reading the page took longer than 2 s.")
    ]
    assert result.text_layer_pages == 2
    written = json.loads(run.artefact_bytes("pages.json"))
    assert [page["page"] for page in written["pages"]] == [1, 3]
    assert written["failed_pages"][0]["page"] == 2
    assert [fields["page_try"] for _, fields in run.lines if fields.get("page") == 2] == [1]


async def test_a_disk_that_is_full_while_a_page_is_read_is_no_fault_of_the_page(
    run: LocalRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = documents.text_pdf(pages=3)
    run.files.add("text", data)
    monkeypatch.setattr(pages, "read_page", fill_the_disk_on_page_two)
    with pytest.raises(ExceptionGroup) as caught:
        await pdf_ocr.function(PdfOcr(file_id="text"), run)
    assert outage_of(caught.value) == Outage("disk", "full")


async def test_a_disk_that_is_full_takes_no_searchable_pdf_away(run: LocalRun) -> None:
    """Without it the job would be completed, for good, without the file that was asked for."""
    data, _ = documents.text_pdf()
    run.files.add("text", data)
    (run.scratch / "searchable.pdf").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        await pdf_ocr.function(PdfOcr(file_id="text", deskew_output=True), run)
    assert outage_of(caught.value) == Outage("disk", "full")


async def test_a_child_killed_over_a_page_costs_one_more_try_of_that_page(
    run: LocalRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = documents.text_pdf(pages=3)
    run.files.add("text", data)
    monkeypatch.setattr(pages, "read_page", die_once_on_page_two)
    result = await pdf_ocr.function(PdfOcr(file_id="text"), run)
    assert result.failed == 0
    assert [fields["page"] for event, fields in run.lines if event == "page failed"] == [2]


async def test_a_page_whose_object_is_lost_costs_that_page_only(run: LocalRun) -> None:
    run.files.add("torn", documents.without_page_object(documents.text_pdf(pages=3, words=20)[0], 2))
    result = await run.execute(pdf_ocr, PdfOcr(file_id="torn"))
    assert [(page["page"], page["reason"]) for page in result["failed_pages"]] == [
        (2, "The page is missing or damaged.")
    ]
    assert (result["text_layer_pages"], run.attempt) == (2, 1)


async def test_a_torn_frame_costs_that_frame_only(run: LocalRun) -> None:
    run.files.add("torn", documents.tiff_with_torn_frame(frames=3, torn=2))
    result = await run.execute(pdf_ocr, PdfOcr(file_id="torn", engine="rapidocr"))
    assert [(page["page"], page["reason"]) for page in result["failed_pages"]] == [
        (2, "The picture is damaged or cut short.")
    ]
    assert (result["pages"], result["failed"]) == (3, 1)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (documents.cut_jpeg, r"^The picture is damaged or cut short\.$"),
        (documents.vast_png, r"50,000 × 50,000 pixels"),
    ],
)
async def test_a_bad_picture_alone_fails_at_once_with_its_reason(
    run: LocalRun, picture: Callable[[], bytes], sentence: str
) -> None:
    run.files.add("bad", picture())
    with pytest.raises(Permanent, match=sentence):
        await run.execute(pdf_ocr, PdfOcr(file_id="bad"))
    assert run.attempt == 1
    assert [fields["page_try"] for event, fields in run.lines if event == "page failed"] == [1]


async def test_no_page_at_all_is_a_failed_job(run: LocalRun, monkeypatch: pytest.MonkeyPatch) -> None:
    data, _ = documents.text_pdf(pages=2)
    run.files.add("text", data)
    monkeypatch.setattr(pages, "read_page", always_fail)
    with pytest.raises(RuntimeError, match="No page could be read; of the first: ValueError: torn"):
        await pdf_ocr.function(PdfOcr(file_id="text"), run)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("encrypted", "needs a password"),
        ("truncated", "damaged or cut short"),
        ("header only", "damaged or cut short"),
        ("text", "neither a PDF nor an image"),
        ("empty", "neither a PDF nor an image"),
        ("no pages", "has no pages"),
    ],
)
async def test_bad_documents_fail_for_good_with_a_sentence(run: LocalRun, name: str, sentence: str) -> None:
    whole, _ = documents.text_pdf()
    bad = {
        "encrypted": documents.encrypted(whole),
        "truncated": whole[: len(whole) // 3],
        "header only": b"%PDF-1.7\n",
        "text": b"Just a few words.",
        "empty": b"",
        "no pages": documents.blank_pdf(pages=0),
    }
    run.files.add("bad", bad[name])
    with pytest.raises(Permanent, match=sentence):
        await pdf_ocr.function(PdfOcr(file_id="bad"), run)


def fill_the_disk_on_page_two(path: Path, index: int, reading: Reading) -> bytes:
    if index == 1:
        Path("/dev/full").write_bytes(b"page")
    return pages.read_page(path, index, reading)


def hang_on_page_two(path: Path, index: int, reading: Reading) -> bytes:
    while index == 1:
        signal.pause()
    return pages.read_page(path, index, reading)


def die_once_on_page_two(path: Path, index: int, reading: Reading) -> bytes:
    marker = path.with_suffix(".died")
    if index == 1 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return pages.read_page(path, index, reading)


def always_fail(path: Path, index: int | range, reading: Reading) -> bytes:
    raise ValueError("torn")


def want_networks_once(path: Path, index: int, reading: Reading) -> bytes:
    marker = path.with_suffix(".asked")
    if not marker.exists():
        marker.touch()
        raise NotPrepared
    return pages.read_page(path, index, reading)


def always(path: Path, wanted: range, reading: Reading) -> bool:
    return True


def do_nothing(reading: Reading) -> None: ...
