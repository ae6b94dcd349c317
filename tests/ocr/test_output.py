"""What archives want of a scan: PDF/A, level pages, no blank ones, a batch in documents, tables as CSV."""

import csv
import io
import json

import numpy
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from pikepdf import pdfa
from PIL import Image

from tasks.ocr.splitting import Document, documents
from tasks.ocr.tables import tables
from tasks.ocr.words import PageText, Word
from tasks.pdf_ocr import PdfOcr, pdf_ocr
from tasks.sdk.errors import Permanent
from tasks.sdk.testing import LocalRun
from tests.ocr.documents import blank_pdf, joined
from tests.ocr.made_pages import LETTER, LINES, WORDS, Page, jpeg, picture_at, scan, scanned_page, text_at
from tests.ocr.score import precision, recall

together = pytest.mark.asyncio(loop_scope="session")
"""As the pool, which lives as long as the session."""


def plain_scan(picture: Image.Image | None = None) -> bytes:
    """A scanned page that names no font of its own, which PDF/A would want to be embedded."""
    made = scanned_page(picture=picture)
    del made.page.obj.Resources["/Font"]
    return made.data()


async def read(run: LocalRun, data: bytes, **options: object) -> dict[str, object]:
    run.files.add("scan", data)
    result: dict[str, object] = await run.execute(pdf_ocr, PdfOcr(file_id="scan", engine="rapidocr", **options))  # type: ignore[arg-type]  # any option
    return result


@together
async def test_a_scan_becomes_pdf_a_with_its_own_picture(run: LocalRun) -> None:
    data = plain_scan()
    result = await read(run, data, pdfa=True)
    made = run.artefact_bytes("searchable.pdf")
    report = pdfa.validate_written(io.BytesIO(made), "2b")
    assert report.passed, report.findings
    assert result["notes"] == []
    assert recall(pypdfium2.PdfDocument(made)[0].get_textpage().get_text_range(), WORDS) == 1.0
    with pikepdf.open(io.BytesIO(made)) as pdf, pikepdf.open(io.BytesIO(data)) as original:
        pictures = [one.pages[0].resources.XObject.Im0.read_raw_bytes() for one in (pdf, original)]
    assert pictures[0] == pictures[1]


@together
async def test_a_layer_of_gibberish_does_not_come_back_in_the_searchable_copy(run: LocalRun) -> None:
    gibberish = b"".join(text_at(61, 694 - n * 38.4, line[::-1], size=19, mode=3) for n, line in enumerate(LINES))
    await read(run, scanned_page(gibberish).data())
    found = pypdfium2.PdfDocument(run.artefact_bytes("searchable.pdf"))[0].get_textpage().get_text_range()
    assert (recall(found, WORDS), precision(found, WORDS)) == (1.0, 1.0)


@together
async def test_what_cannot_be_pdf_a_is_searchable_all_the_same_and_says_why(run: LocalRun) -> None:
    result = await read(run, Page(text_at(72, 740, *LINES)).data(), pdfa=True)
    (note,) = result["notes"]  # type: ignore[misc]  # a list of one
    assert "cannot be PDF/A as it is" in note and "embedded" in note
    assert run.artefact_bytes("searchable.pdf").startswith(b"%PDF")


@pytest.mark.parametrize(("turn", "skew"), [(0, 4.0), (90, 0.0), (180, -3.0)])
@together
async def test_pages_are_set_upright_and_level(run: LocalRun, turn: int, skew: float) -> None:
    lying = scan().rotate(skew, expand=False, fillcolor=250).rotate(turn, expand=True)
    size = LETTER if turn % 180 == 0 else LETTER[::-1]
    made = Page(picture_at(0, 0, *size), size).picture(jpeg(lying), lying.size).data()
    await read(run, made, deskew_output=True)
    page = pypdfium2.PdfDocument(run.artefact_bytes("searchable.pdf"))[0]
    assert page.get_size() == pytest.approx(LETTER, abs=1)
    ink = numpy.asarray(page.render(scale=2).to_pil().convert("L")) < 128
    rows = ink[100:1100, 100:1100].sum(axis=1)
    # Level lines leave white rows between them; those that run downhill by three degrees do not.
    assert (rows == 0).mean() > 0.3
    found = page.get_textpage().get_text_range()
    assert recall(found, WORDS) > 0.9


@together
async def test_blank_pages_are_dropped_and_still_counted(run: LocalRun) -> None:
    result = await read(run, joined(plain_scan(), blank_pdf(), plain_scan()), drop_blank_pages=True)
    assert (result["pages"], result["blank_pages"]) == (3, 1)
    with pikepdf.open(io.BytesIO(run.artefact_bytes("searchable.pdf"))) as pdf:
        assert len(pdf.pages) == 2
    assert [page["page"] for page in json.loads(run.artefact_bytes("pages.json"))["pages"]] == [1, 2, 3]


@together
async def test_a_document_of_blank_pages_keeps_one(run: LocalRun) -> None:
    await read(run, blank_pdf(pages=3), drop_blank_pages=True)
    with pikepdf.open(io.BytesIO(run.artefact_bytes("searchable.pdf"))) as pdf:
        assert len(pdf.pages) == 1


def coded(text: str, kind: zxingcpp.BarcodeFormat = zxingcpp.BarcodeFormat.Code128) -> bytes:
    """A page with a barcode."""
    code = Image.fromarray(numpy.asarray(zxingcpp.create_barcode(text, kind).to_image(scale=4)))
    sheet = Image.new("L", (1275, 1650), 255)
    sheet.paste(code, (200, 300))
    return plain_scan(sheet)


def page_with(word: str) -> bytes:
    return Page(text_at(72, 700, f"Letter number {word}")).data()


@together
async def test_a_batch_is_split_at_separator_sheets(run: LocalRun) -> None:
    batch = joined(page_with("one"), page_with("two"), coded("PATCHT"), page_with("three"), coded("PATCHT"))
    result = await read(run, batch, split="separators")
    assert (result["documents"], result["doubtful_pages"]) == (2, [])
    listed = json.loads(run.artefact_bytes("documents.json"))["documents"]
    assert [(one["name"], one["pages"]) for one in listed] == [("document-001.pdf", [1, 2]), ("document-002.pdf", [4])]
    texts = [
        [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(run.artefact_bytes(one["name"]))]
        for one in listed
    ]
    assert texts == [["Letter number one", "Letter number two"], ["Letter number three"]]


@together
async def test_a_batch_is_split_at_pages_with_barcodes(run: LocalRun) -> None:
    batch = joined(coded("A-1"), page_with("one"), coded("A-2", zxingcpp.BarcodeFormat.QRCode), page_with("two"))
    await read(run, batch, split="barcodes")
    listed = json.loads(run.artefact_bytes("documents.json"))["documents"]
    assert [(one["barcode"], one["pages"]) for one in listed] == [("A-1", [1, 2]), ("A-2", [3, 4])]


def test_separators_one_after_another_make_no_empty_documents() -> None:
    found = [["PATCHT"], [], ["PATCHT"], ["PATCHT"], ["other"], []]
    assert documents(found, "separators") == [Document("document-001.pdf", [2]), Document("document-002.pdf", [5, 6])]


def test_a_batch_of_too_many_documents_is_refused_in_a_sentence() -> None:
    with pytest.raises(Permanent, match="would become 501 documents"):
        documents([["x"]] * 501, "barcodes")


TABLE = (("Item", "Amount", "Price"), ("Paper", "12", "48.00"), ("Ink black", "3", "-19.50"), ("Staples", "", "2.25"))


def words_of(rows: tuple[tuple[str, ...], ...], columns: tuple[float, ...], top: float = 100) -> list[Word]:
    return [
        Word(
            word,
            (columns[at] + 40 * number, top + 20 * row, columns[at] + 40 * number + 36, top + 20 * row + 10),
            1.0,
            "ocr",
        )
        for row, cells in enumerate(rows)
        for at, cell in enumerate(cells)
        for number, word in enumerate(cell.split())
    ]


def page_of(words: list[Word], **more: object) -> PageText:
    return PageText(1, 600, 800, "ocr", words, **more)  # type: ignore[arg-type]  # any field


def test_a_table_is_told_by_its_columns() -> None:
    prose = words_of((("These are the words of a letter",), ("that run on without columns",)), (50,), top=20)
    (table,) = tables(page_of(prose + words_of(TABLE, (50, 200, 300))))
    assert table == [list(row) for row in TABLE]


@pytest.mark.parametrize(
    "words",
    [
        words_of((("Just a line of prose",),) * 6, (50,)),
        words_of((("left column", "right column"),) * 6, (50, 300)),
        words_of(TABLE[:2], (50, 200, 300)),
        [],
    ],
    ids=["prose", "two columns", "two rows", "nothing"],
)
def test_what_is_no_clear_table_gives_none(words: list[Word]) -> None:
    assert list(tables(page_of(words))) == []


@together
async def test_tables_are_written_as_csv_that_no_spreadsheet_runs(run: LocalRun) -> None:
    rows = (("Item", "Amount", "Price"), ("=SUM(A1)", "12", "48.00"), ("Ink", "3", "19.50"), ("Staples", "7", "2.25"))
    content = b"".join(
        text_at(x, 700 - 30 * row, cell)
        for row, cells in enumerate(rows)
        for x, cell in zip((72, 250, 400), cells, strict=True)
    )
    result = await read(run, Page(content.replace(b"(=SUM(A1))", b"(=SUM\\(A1\\))")).data(), tables=True)
    assert result["tables"] == 1
    written = list(csv.reader(io.StringIO(run.artefact_bytes("tables.csv").decode())))
    assert written[0] == ["1", "1", "1", "Item", "Amount", "Price"]
    assert written[1] == ["1", "1", "2", "'=SUM(A1)", "12", "48.00"]
