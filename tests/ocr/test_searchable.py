"""searchable.pdf: the words are found where they stand, and the original's pictures are untouched."""

import subprocess
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from tasks.ocr.searchable import write_searchable
from tasks.ocr.words import PageText, Word, encode
from tests.ocr import documents


def word(text: str, x0: float, y0: float, x1: float, y1: float) -> Word:
    return Word(text, (x0, y0, x1, y1), 0.9, "ocr")


def searchable(tmp_path: Path, data: bytes, *pages: PageText) -> Path:
    source, target = tmp_path / "source", tmp_path / "searchable.pdf"
    source.write_bytes(data)
    files = []
    for number, page in enumerate(pages):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_bytes(encode(page))
    write_searchable(source, files, target)
    return target


def picture_streams(data: bytes) -> list[bytes]:
    with pikepdf.open(BytesIO(data)) as pdf:
        return [image.read_raw_bytes() for page in pdf.pages for image in page.get_images().values()]


def found_boxes(path: Path, text: str) -> list[tuple[float, float, float, float]]:
    """Where PDFium's search finds the text: left, bottom, right, top."""
    pdf = pypdfium2.PdfDocument(path)
    page = pdf[0].get_textpage()
    start, count = page.search(text).get_next()
    boxes = [page.get_charbox(index, loose=True) for index in range(start, start + count)]
    pdf.close()
    return boxes


def test_a_word_is_found_where_it_stands(tmp_path: Path) -> None:
    scan, _ = documents.scan_pdf()
    page = PageText(1, 595.2, 842.04, "ocr", [word("harbour", 100, 200, 160, 214), word("ledger", 170, 200, 215, 214)])
    path = searchable(tmp_path, scan, page)
    boxes = found_boxes(path, "harbour")
    assert boxes[0][0] == pytest.approx(100, abs=1)
    assert boxes[-1][2] == pytest.approx(160, abs=1)
    assert 842 - 214 - 3 <= boxes[0][1] <= 842 - 200
    assert found_boxes(path, "harbour ledger")


def test_pictures_stay_as_they_were_byte_for_byte(tmp_path: Path) -> None:
    scan, _ = documents.scan_pdf()
    path = searchable(tmp_path, scan, PageText(1, 595.2, 842.04, "ocr", [word("harbour", 100, 200, 160, 214)]))
    assert picture_streams(path.read_bytes()) == picture_streams(scan)


def test_any_writing_comes_back(tmp_path: Path) -> None:
    words = ["Ærøskøbing", "Ελλάδα", "Привет", "日本語", "\N{MATHEMATICAL SCRIPT CAPITAL A}"]
    page = PageText(1, 595, 842, "ocr", [word(text, 50, 50 * n, 200, 50 * n + 12) for n, text in enumerate(words, 1)])
    path = searchable(tmp_path, documents.blank_pdf(), page)
    text = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
    assert text.split() == words


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_sideways_page_is_searchable_along_its_lines(tmp_path: Path, rotation: int) -> None:
    page = PageText(1, 595, 842, "ocr", [word("harbour", 300, 300, 314, 360)], rotation=rotation)
    if rotation == 180:
        page.words[0].box = (300, 300, 360, 314)
    boxes = found_boxes(searchable(tmp_path, documents.blank_pdf(), page), "harbour")
    first, last = boxes[0], boxes[-1]
    along = {90: last[1] - first[1], 180: first[0] - last[0], 270: first[1] - last[1]}
    assert along[rotation] > 40


def test_a_turned_and_cropped_page_keeps_its_words_in_place(tmp_path: Path) -> None:
    scan, _ = documents.scan_pdf()
    with pikepdf.open(BytesIO(scan)) as pdf:
        pdf.pages[0].cropbox = pikepdf.Array([50, 60, 500, 700])
        pdf.pages[0].rotate(90, relative=False)
        turned = BytesIO()
        pdf.save(turned)
    page = PageText(1, 640, 450, "ocr", [word("harbour", 100, 200, 160, 214)])
    boxes = found_boxes(searchable(tmp_path, turned.getvalue(), page), "harbour")
    # Displayed at (100, 200), which is (left + y, bottom + x) on the page: it runs upwards from there.
    assert boxes[0][1] == pytest.approx(160, abs=1)
    assert boxes[-1][3] == pytest.approx(220, abs=1)
    assert 250 - 3 <= boxes[0][0] <= 264


def test_a_text_layer_is_not_written_twice(tmp_path: Path) -> None:
    data, _ = documents.text_pdf()
    page = PageText(1, 595, 842, "text-layer", [word("harbour", 100, 200, 160, 214)])
    with pikepdf.open(searchable(tmp_path, data, page)) as pdf:
        assert "/Invisible0" not in pdf.pages[0].resources.get("/Font", {})


def test_a_jpeg_becomes_a_pdf_with_its_own_bytes(tmp_path: Path) -> None:
    file = BytesIO()
    Image.new("L", (400, 300), 230).save(file, "JPEG", dpi=(100, 100))
    path = searchable(tmp_path, file.getvalue(), PageText(1, 288, 216, "ocr", [word("harbour", 10, 20, 60, 32)]))
    assert picture_streams(path.read_bytes()) == [file.getvalue()]
    assert found_boxes(path, "harbour")[0][0] == pytest.approx(10, abs=1)


def test_a_tiff_becomes_a_page_a_frame(tmp_path: Path) -> None:
    file = BytesIO()
    frames = [Image.new(mode, (200, 100), "white") for mode in ("1", "RGB", "L")]
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:], dpi=(100, 100))
    pages = [PageText(n, 144, 72, "ocr", [word("harbour", 10, 20, 60, 32)]) for n in (1, 2, 3)]
    with pikepdf.open(searchable(tmp_path, file.getvalue(), *pages)) as pdf:
        assert len(pdf.pages) == 3
