"""A page's text is what the page shows: its own words, its scan's, or both, and nothing else."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Stream

from tasks.ocr.page import Reading, read_page, wants_preparing
from tasks.ocr.pdf_facts import pdf_facts
from tasks.ocr.words import PageText, decode
from tasks.sdk.errors import Permanent
from tests.ocr.made_pages import LETTER, LINES, WORDS, Page, jpeg, picture_at, scan, scanned_page, text_at
from tests.ocr.score import precision, recall

STAMP = "Received by the county registry office on 12 March 2024, entry 88213, page 1 of 1"
GIBBERISH = tuple(line.translate(str.maketrans("aeiounrst", "qxzkwvjpy")) for line in LINES)


def read(folder: Path, data: bytes, text_layer: str = "auto") -> PageText:
    path = folder / "document.pdf"
    path.write_bytes(data)
    return decode(read_page(path, 0, Reading(folder, "rapidocr", text_layer=text_layer)))  # type: ignore[arg-type]  # one of the three words


def test_a_stamp_and_the_scan_under_it_are_both_read(tmp_path: Path) -> None:
    page = read(tmp_path, scanned_page(text_at(60, 40, STAMP, size=8)).data())
    assert page.source == "ocr" and {word.source for word in page.words} == {"ocr", "text-layer"}
    assert recall(page.text, f"{STAMP} {WORDS}") == 1.0
    assert [word.order for word in page.words] == list(range(len(page.words)))


@pytest.mark.parametrize("share", [0.45, 0.2])
def test_a_letterhead_and_a_scan_pasted_under_it_are_both_read(tmp_path: Path, share: float) -> None:
    height = LETTER[1] * share
    picture = scan((1275, round(1275 * height / LETTER[0])), type_px=round(40 * min(1, share / 0.45)))
    content = text_at(72, 740, "Northwind Property Services Limited", "Dear tenant, please find the conditions below.")
    data = Page(content + picture_at(0, 200, LETTER[0], height)).picture(jpeg(picture), picture.size).data()
    page = read(tmp_path, data)
    assert (
        recall(page.text, f"Northwind Property Services Limited Dear tenant please find the conditions below {WORDS}")
        == 1.0
    )
    assert page.text.index("Northwind") < page.text.index("Rental")


def test_a_photo_beside_text_is_not_read(tmp_path: Path) -> None:
    from tests.documents.images.pictures import scene

    photo = scene(600, 450).convert("L")
    data = Page(text_at(72, 740, *LINES) + picture_at(100, 100, 400, 300)).picture(jpeg(photo), photo.size).data()
    page = read(tmp_path, data)
    assert (page.source, page.text.split()) == ("text-layer", WORDS.split())


def test_a_user_unit_counts_in_sizes_and_boxes(tmp_path: Path) -> None:
    made = scanned_page(size=(8.5, 11.0))
    made.page.obj.UserUnit = 72
    page = read(tmp_path, made.data())
    assert (page.width, page.height) == (612.0, 792.0)
    assert recall(page.text, WORDS) == 1.0
    assert max(word.box[2] for word in page.words) > 300


def test_a_user_unit_counts_in_a_text_layer_too(tmp_path: Path) -> None:
    made = Page(text_at(72, 740, *LINES))
    made.page.obj.UserUnit = 2
    page = read(tmp_path, made.data())
    assert (page.width, page.height, page.source) == (1224.0, 1584.0, "text-layer")
    assert page.words[0].box[0] == pytest.approx(144, abs=2)


@pytest.mark.parametrize("factor", [0.2, 0.5, 4.0, 15.0])
def test_a_scan_is_read_whatever_the_size_of_its_page(tmp_path: Path, factor: float) -> None:
    page = read(
        tmp_path, scanned_page(size=(LETTER[0] * factor, LETTER[1] * factor), picture=scan((2550, 3300), 34)).data()
    )
    assert recall(page.text, WORDS) == 1.0


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


BROKEN: dict[str, Callable[[], Page]] = {
    "no bytes": lambda: Page(picture_at(0, 0, *LETTER)).picture(b"", (1275, 1650)),
    "half a JPEG": lambda: Page(picture_at(0, 0, *LETTER)).picture(half(jpeg(scan())), (1275, 1650)),
    "half a deflated picture": lambda: Page(picture_at(0, 0, *LETTER)).picture(
        half(zlib.compress(scan().tobytes())), (1275, 1650), "FlateDecode"
    ),
    "deflated bytes for half the rows": lambda: Page(picture_at(0, 0, *LETTER)).picture(
        zlib.compress(half(scan().tobytes())), (1275, 1650), "FlateDecode"
    ),
    "JPEG 2000 that is none": lambda: Page(picture_at(0, 0, *LETTER)).picture(b"\1" * 5_000, (1275, 1650), "JPXDecode"),
    "JBIG2 that is none": lambda: Page(picture_at(0, 0, *LETTER)).picture(
        b"\1\2\3\4" * 5_000, (1275, 1650), "JBIG2Decode", BitsPerComponent=1
    ),
    "a filter that does not exist": lambda: Page(picture_at(0, 0, *LETTER)).picture(
        b"\1\2\3\4" * 5_000, (1275, 1650), "BrotliDecode"
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_page_whose_picture_cannot_be_decoded_fails_and_is_not_blank(tmp_path: Path, kind: str) -> None:
    with pytest.raises(Permanent, match=r"picture on the page cannot be decoded: 1,275 × 1,650 pixels"):
        read(tmp_path, BROKEN[kind]().data())


def test_a_picture_that_cannot_be_decoded_beside_text_is_a_doubt(tmp_path: Path) -> None:
    made = Page(text_at(72, 740, *LINES) + picture_at(72, 100, 400, 300)).picture(half(jpeg(scan())), (1275, 1650))
    page = read(tmp_path, made.data())
    assert recall(page.text, WORDS) == 1.0
    assert page.doubtful and "cannot be decoded" in (page.doubt or "")


def test_an_even_picture_is_blank_paper(tmp_path: Path) -> None:
    from PIL import Image

    white = Image.new("L", (1275, 1650), 255)
    for data, filter in ((jpeg(white), "DCTDecode"), (zlib.compress(white.tobytes()), "FlateDecode")):
        made = Page(picture_at(0, 0, *LETTER)).picture(data, white.size, filter)
        assert read(tmp_path, made.data()).source == "blank"


def cropped() -> bytes:
    made = Page(text_at(72, 700, *LINES) + text_at(5, 780, "PRINTERSLUG outside of trim", size=8))
    made.page.obj.CropBox = Array([30, 30, 582, 740])
    return made.data()


def layered(content: bytes, **layers: bool) -> bytes:
    made = Page(text_at(72, 740, *LINES) + content)
    for name, on in layers.items():
        made.layer(name, on=on)
    return made.data()


def form_in_hidden_layer() -> bytes:
    made = Page(text_at(72, 740, *LINES) + b"/Fm0 Do\n")
    form = Stream(made.pdf, text_at(72, 300, "DRAFT ONLY"))
    form.update(Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 612, 792])))
    form.Resources, form.OC = made.page.obj.Resources, made.layer("Draft", on=False)
    made.page.obj.Resources.XObject["/Fm0"] = made.pdf.make_indirect(form)
    return made.data()


def membership(policy: str, **layers: bool) -> bytes:
    made = Page(text_at(72, 740, *LINES) + b"/OC /Both BDC " + text_at(72, 300, "DRAFT ONLY") + b" EMC\n")
    groups = Array([made.layer(name, on=on) for name, on in layers.items()])
    made.page.obj.Resources.Properties["/Both"] = Dictionary(Type=Name.OCMD, OCGs=groups, P=Name(f"/{policy}"))
    return made.data()


UNSEEN: dict[str, Callable[[], bytes]] = {
    "outside the crop box": cropped,
    "off the page": lambda: Page(text_at(72, 740, *LINES) + text_at(-500, 300, "DRAFT ONLY")).data(),
    "in a layer that is off": lambda: layered(
        b"/OC /Draft BDC " + text_at(72, 300, "DRAFT ONLY") + b" EMC\n", Draft=False
    ),
    "in a layer that is off, over shown words": lambda: layered(
        b"/OC /Draft BDC " + text_at(72, 740, "DRAFT ONLY") + b" EMC\n", Draft=False
    ),
    "in a form of a layer that is off": form_in_hidden_layer,
    "in a membership of layers that are off": lambda: membership("AnyOn", A=False, B=False),
    "in a membership of which one layer is off": lambda: membership("AllOn", A=False, B=True),
    "white on white": lambda: Page(text_at(72, 740, *LINES) + text_at(72, 300, "DRAFT ONLY", grey=1)).data(),
    "invisible on blank paper": lambda: Page(text_at(72, 740, *LINES) + text_at(72, 300, "DRAFT ONLY", mode=3)).data(),
    "clipped away": lambda: Page(
        text_at(72, 740, *LINES) + b"q 0 0 10 10 re W n " + text_at(72, 300, "DRAFT ONLY") + b"Q\n"
    ).data(),
    "under a white box": lambda: Page(
        text_at(72, 300, "DRAFT ONLY") + b"1 g 0 280 612 60 re f\n" + text_at(72, 740, *LINES)
    ).data(),
}


@pytest.mark.parametrize("kind", UNSEEN)
def test_words_that_the_page_does_not_show_are_left_out(tmp_path: Path, kind: str) -> None:
    page = read(tmp_path, UNSEEN[kind]())
    assert (page.source, page.text.split()) == ("text-layer", WORDS.split())
    assert all(0 <= word.box[0] < word.box[2] <= page.width for word in page.words)
    assert all(0 <= word.box[1] < word.box[3] <= page.height for word in page.words)


@pytest.mark.parametrize(
    "data",
    [
        layered(b"/OC /Draft BDC " + text_at(72, 300, "SHOWN TOO") + b" EMC\n", Draft=True, Other=False),
        membership("AnyOn", A=True, B=False).replace(b"DRAFT ONLY", b"SHOWN TOO!"),
        Page(text_at(72, 740, *LINES) + b"0.2 g 0 280 612 60 re f\n" + text_at(72, 300, "SHOWN TOO", grey=1)).data(),
    ],
    ids=["a layer that is on", "a membership of which one is on", "white on dark"],
)
def test_words_that_the_page_does_show_are_kept(tmp_path: Path, data: bytes) -> None:
    assert len(read(tmp_path, data).text.split()) == len(WORDS.split()) + 2


def layer_over_scan(*lines: str) -> bytes:
    """An invisible layer where the lines of the scan stand: every 38.4 pt from 79 pt below the top."""
    shown = b"".join(text_at(61, 792 - 98 - number * 38.4, line, size=19, mode=3) for number, line in enumerate(lines))
    return scanned_page(shown).data()


def test_an_invisible_layer_of_gibberish_gives_way_to_what_the_scan_shows(tmp_path: Path) -> None:
    page = read(tmp_path, layer_over_scan(*GIBBERISH))
    assert page.source == "ocr"
    assert (recall(page.text, WORDS), precision(page.text, WORDS)) == (1.0, 1.0)


def test_an_invisible_layer_that_the_scan_bears_out_is_taken(tmp_path: Path) -> None:
    poor = [line.replace("e", "c", 1) for line in LINES]
    page = read(tmp_path, layer_over_scan(*poor))
    assert (page.source, page.text.split()) == ("text-layer", " ".join(poor).split())


def test_gibberish_under_the_scan_is_found_out_as_well(tmp_path: Path) -> None:
    under = b"".join(text_at(61, 792 - 98 - n * 38.4, line, size=19) for n, line in enumerate(GIBBERISH))
    data = Page(under + picture_at(0, 0, *LETTER)).picture(jpeg(scan()), (1275, 1650)).data()
    assert recall(read(tmp_path, data).text, WORDS) == 1.0


def test_a_layer_that_covers_only_the_head_of_a_scan_is_filled_up(tmp_path: Path) -> None:
    page = read(tmp_path, layer_over_scan(*LINES[:2]))
    assert recall(page.text, WORDS) == 1.0
    assert {word.source for word in page.words} == {"ocr", "text-layer"}


def test_the_text_layer_is_ignored_or_taken_alone_on_request(tmp_path: Path) -> None:
    data = layer_over_scan(*GIBBERISH)
    assert recall(read(tmp_path, data, "ignore").text, WORDS) == 1.0
    only = read(tmp_path, data, "only")
    assert (only.source, only.text.split()) == ("text-layer", " ".join(GIBBERISH).split())
    unread = read(tmp_path, scanned_page().data(), "only")
    assert unread.words == [] and "was not read, as asked" in (unread.doubt or "")
    assert not read(tmp_path, Page(b"").data(), "only").doubtful
    read(tmp_path, data, "only")
    path = tmp_path / "document.pdf"
    assert not wants_preparing(path, range(1), Reading(tmp_path, "easyocr", text_layer="only"))
    assert wants_preparing(path, range(1), Reading(tmp_path, "easyocr"))


def xfa(*, widgets: bool, head: bytes = b"") -> bytes:
    made = Page(text_at(72, 740, "Please wait while the form is loading."))
    packet = head + (
        b"<xfa:datasets xmlns:xfa='http://www.xfa.org/schema/xfa-data/1.0/'><xfa:data><form1><Name>Ada Lovelace</Name>"
        b"<Rent>800</Rent><Empty/></form1></xfa:data></xfa:datasets>"
    )
    xfa = Array([pikepdf.String("datasets"), Stream(made.pdf, packet)])
    made.pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=xfa)
    if widgets:
        field = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T="Name", Rect=Array([72, 600, 300, 620]))
        made.page.obj.Annots = Array([made.pdf.make_indirect(field)])
    return made.data()


def test_a_dynamic_form_gives_its_values_and_says_that_its_pages_are_not_here(tmp_path: Path) -> None:
    page = read(tmp_path, xfa(widgets=False))
    assert page.text == "Name: Ada Lovelace\nRent: 800"
    assert page.doubtful and "dynamic XFA form" in (page.doubt or "")


def test_a_static_form_is_a_page_like_any_other(tmp_path: Path) -> None:
    page = read(tmp_path, xfa(widgets=True))
    assert page.text == "Please wait while the form is loading." and not page.doubtful


def test_entities_of_a_form_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    path.write_bytes(xfa(widgets=False, head=b"<!DOCTYPE a [<!ENTITY b 'c'>]>"))
    assert pdf_facts(path).xfa_values == ()


def test_ink_of_which_nothing_is_read_is_a_doubt(tmp_path: Path) -> None:
    wave = b"5 w 100 100 m 250 700 350 100 500 700 c S"
    page = read(tmp_path, Page(wave).data())
    assert (page.source, page.words, page.doubtful) == ("ocr", [], True)
    assert page.doubt
