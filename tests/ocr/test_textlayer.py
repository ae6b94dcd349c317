"""Which pages need OCR and which do not."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pikepdf
import pytest

from tasks.ocr.document import open_pdf
from tasks.ocr.page import Reading, read_page
from tasks.ocr.page_pictures import page_objects, share_of_page
from tasks.ocr.paper import cleaned
from tasks.ocr.pdf_page import SAMPLE_SCALE
from tasks.ocr.render import render_part
from tasks.ocr.textlayer import text_layer
from tasks.ocr.words import decode
from tests.ocr import documents


def layer(tmp_path: Path, data: bytes) -> list[str]:
    path = tmp_path / "document.pdf"
    path.write_bytes(data)
    with open_pdf(path) as pdf:
        rendered = render_part(pdf[0], SAMPLE_SCALE)
        return [word.text for word in text_layer(pdf[0], page_objects(pdf[0]), rendered.picture, rendered.scale).words]


def with_text(data: bytes, text: str) -> bytes:
    """The document with a line of text drawn over its first page."""
    file = BytesIO()
    with pikepdf.open(BytesIO(data)) as pdf:
        page = pdf.pages[0]
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.add_resource(font, pikepdf.Name.Font, pikepdf.Name("/Stamp"))
        page.contents_add(pikepdf.Stream(pdf, f"BT /Stamp 10 Tf 60 60 Td ({text}) Tj ET".encode()))
        pdf.save(file)
    return file.getvalue()


def unmapped(data: bytes) -> bytes:
    """The document with a font whose codes mean nothing."""
    file = BytesIO()
    with pikepdf.open(BytesIO(data)) as pdf:
        cmap = (
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"
            b"1 beginbfrange <00> <ff> <e000> endbfrange endcmap end end"
        )
        for font in pdf.pages[0].resources.Font.values():
            font.ToUnicode = pikepdf.Stream(pdf, cmap)
        pdf.save(file)
    return file.getvalue()


def test_a_text_layer_is_words_in_order(tmp_path: Path) -> None:
    data, truth = documents.text_pdf(words=60)
    assert layer(tmp_path, data) == truth[0].split()


def test_a_few_words_on_an_empty_page_are_its_text(tmp_path: Path) -> None:
    assert layer(tmp_path, with_text(documents.blank_pdf(), "This page is left blank")) == [
        "This",
        "page",
        "is",
        "left",
        "blank",
    ]


def test_a_layer_of_unmapped_glyphs_is_no_layer(tmp_path: Path) -> None:
    data, _ = documents.text_pdf(words=60)
    assert layer(tmp_path, unmapped(data)) == []


def test_a_picture_inside_a_form_counts_as_a_picture(tmp_path: Path) -> None:
    scan, _ = documents.scan_pdf()
    with pikepdf.open(BytesIO(scan)) as pdf:
        form = pdf.pages[0].as_form_xobject()
        page = pdf.add_blank_page(page_size=(595, 842))
        page.add_resource(form, pikepdf.Name.XObject, pikepdf.Name("/Form"))
        page.contents_add(pikepdf.Stream(pdf, b"q /Form Do Q"))
        path = tmp_path / "form.pdf"
        pdf.save(path)
    with open_pdf(path) as pdf:
        shares = [share_of_page(page_objects(page).pictures, page.get_size()) for page in (pdf[0], pdf[1])]
    assert shares[1] == pytest.approx(shares[0], abs=0.02)
    assert shares[1] > 0.9


@pytest.mark.parametrize("noise", [0, 8, 20])
def test_noisy_paper_is_blank_and_a_page_number_is_not(noise: int) -> None:
    paper = np.random.default_rng(1).normal(235, noise, (3508, 2480)).clip(0, 255).astype(np.uint8)
    assert cleaned(paper).blank
    paper[3300:3330, 1200:1206] = 20
    assert not cleaned(paper).blank


def test_what_was_filled_into_a_form_is_read_with_its_page(tmp_path: Path) -> None:
    data = with_text(documents.blank_pdf(), "Name of the sender as it is to stand on the letter:")
    path = tmp_path / "form.pdf"
    with pikepdf.open(BytesIO(data)) as pdf:
        appearance = pikepdf.Stream(pdf, b"/Tx BMC q BT /Helv 12 Tf 2 4 Td (Fitzgerald) Tj ET Q EMC")
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        appearance.Type, appearance.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        appearance.BBox = pikepdf.Array([0, 0, 200, 20])
        appearance.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))
        field = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Tx,
                T="name",
                V="Fitzgerald",
                F=4,
                Rect=pikepdf.Array([100, 600, 300, 620]),
                AP=pikepdf.Dictionary(N=appearance),
                DA="/Helv 12 Tf 0 g",
            )
        )
        pdf.pages[0].Annots = pikepdf.Array([field])
        pdf.Root.AcroForm = pikepdf.Dictionary(
            Fields=pikepdf.Array([field]),
            DA="/Helv 12 Tf 0 g",
            DR=pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font)),
        )
        pdf.save(path)
    page = decode(read_page(path, 0, Reading(tmp_path)))
    assert page.source == "text-layer"
    assert "Fitzgerald" in page.text.split()
