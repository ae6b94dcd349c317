"""Which files are taken in, and what is said of the others."""

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from service.documents.inspection import Inspection, inspect_file
from service.documents.media_types import PDF, READ_HERE, media_type_of
from service.documents.other_kinds import kind_of
from tasks.ocr.document import open_pdf
from tests.documents.images.depths import heic
from tests.documents.images.pictures import saved, scene
from tests.ocr.documents import blank_pdf, encrypted, scan_pdf, text_pdf, without_page_object


def written_as(data: bytes, **options: object) -> bytes:
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(file, **options)
    return file.getvalue()


PLAIN = {"object_stream_mode": pikepdf.ObjectStreamMode.disable}
STREAMS = {"object_stream_mode": pikepdf.ObjectStreamMode.generate}
KINDS: dict[str, Callable[[], bytes]] = {
    "scan": lambda: scan_pdf(pages=2)[0],
    "text in plain objects": lambda: written_as(text_pdf(pages=2)[0], **PLAIN),
    "text in object streams": lambda: written_as(text_pdf(pages=2)[0], **STREAMS),
    "linearized": lambda: written_as(text_pdf(pages=2)[0], linearize=True),
}

WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "without the mark": lambda data: data.rstrip()[:-5],
    "with half the mark": lambda data: data.rstrip()[:-3],
    "with zeros behind": lambda data: data + bytes(100_000),
    "with mail behind": lambda data: data + b"\r\n--boundary--\r\n" * 5_000,
    "with a header before": lambda data: b"HTTP/1.1 200 OK\r\nServer: scanner\r\n\r\n" + data,
}

TORN: dict[str, Callable[[bytes], bytes]] = {
    "after two thirds": lambda data: data[: len(data) * 2 // 3],
    "after two thirds, padded": lambda data: data[: len(data) * 2 // 3] + bytes(5_000),
    "after a third": lambda data: data[: len(data) // 3],
}


def inspected(folder: Path, data: bytes) -> Inspection:
    path = folder / "file"
    path.write_bytes(data)
    media_type = media_type_of(data[:1024])
    assert media_type is not None
    return inspect_file(path, media_type)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", WHOLE)
def test_a_whole_pdf_is_taken_however_it_ends(tmp_path: Path, kind: str, end: str) -> None:
    assert inspected(tmp_path, WHOLE[end](KINDS[kind]())) == Inspection(2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", TORN)
def test_a_torn_pdf_is_refused(tmp_path: Path, kind: str, where: str) -> None:
    assert "cut short" in (inspected(tmp_path, TORN[where](KINDS[kind]())).fault or "")


def test_a_pdf_torn_between_two_objects_is_refused(tmp_path: Path) -> None:
    data = KINDS["text in plain objects"]()
    objects = data[: data.rindex(b"xref\n0")]
    for end in [found.end() for found in re.finditer(rb"endobj", objects)][2:-1]:
        assert "cut short" in (inspected(tmp_path, data[:end]).fault or ""), data[end - 100 : end]


def test_a_torn_end_after_an_earlier_versions_mark_is_found(tmp_path: Path) -> None:
    first = KINDS["text in plain objects"]()
    changed = first + b"\n90 0 obj\n<< /Length 4000 >>\nstream\n" + b"a line of content\n" * 20
    assert "cut short" in (inspected(tmp_path, changed).fault or "")


def test_a_lost_page_in_a_whole_file_is_a_matter_of_that_page(tmp_path: Path) -> None:
    assert inspected(tmp_path, without_page_object(text_pdf(pages=3)[0], 2)) == Inspection(3)


def test_a_pdf_that_qpdf_alone_opens_is_repaired(tmp_path: Path) -> None:
    data = KINDS["text in object streams"]().replace(b"/ObjStm", b"/ObjSt_")
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(data)
    assert inspected(tmp_path, data) == Inspection(2)
    with open_pdf(tmp_path / "file") as pdf:
        assert len(pdf[1].get_textpage().get_text_range()) > 100


def owner_locked(data: bytes) -> bytes:
    return written_as(data, encryption=pikepdf.Encryption(owner="secret", user=""))


def test_a_password_is_said_to_be_one_and_an_owners_password_is_none(tmp_path: Path) -> None:
    data = text_pdf(pages=2)[0]
    assert inspected(tmp_path, encrypted(data)) == Inspection(None)
    assert inspected(tmp_path, owner_locked(data)) == Inspection(2)
    # Whatever else is wrong with it: without its password it cannot be known.
    assert inspected(tmp_path, encrypted(data).replace(b"/Count 2", b"/Count 0")) == Inspection(None)
    assert inspected(tmp_path, blank_pdf(pages=0)) == Inspection(fault="has no pages")


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        ("image/bmp", lambda: saved(scene(60, 40), "BMP")),
        ("image/avif", lambda: saved(scene(60, 40), "AVIF")),
        ("image/heic", lambda: heic(scene(60, 40))),
        ("image/jp2", lambda: saved(scene(60, 40), "JPEG2000")),
        ("image/jp2", lambda: saved(scene(60, 40), "JPEG2000", no_jp2=True)),
        (PDF, lambda: blank_pdf()),
    ],
)
def test_pictures_of_more_kinds_are_taken(tmp_path: Path, media_type: str, data: Callable[[], bytes]) -> None:
    assert media_type_of(data()[:1024]) == media_type
    assert inspected(tmp_path, data()) == Inspection(1)


def zip_of(*names: str) -> bytes:
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return file.getvalue()


OTHERS = {
    b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>': "an SVG drawing",
    b"<svg width='1'/>": "an SVG drawing",
    b"8BPS\0\1" + bytes(20): "a Photoshop file",
    b"AT&TFORM" + bytes(20): "a DjVu file",
    b"II*\0\x10\0\0\0CR\2\0" + bytes(20): "a Canon raw photo",
    b"\0\0\0\x18ftypcrx \0\0\0\1" + bytes(20): "a Canon raw photo",
    b"\0\0\0\x18ftypM4A \0\0\0\1" + bytes(20): "an MPEG-4 audio file",
    b"\xff\x0a" + bytes(20): "a JPEG XL image",
    b"%!PS-Adobe-3.0 EPSF-3.0\n": "a PostScript file",
    b"{\\rtf1 hello}": "an RTF document",
    b"<!DOCTYPE html><html></html>": "a web page",
    b"<?xml version='1.0'?><a/>": "an XML file",
    b"Received: from a by b\r\nSubject: c\r\n\r\n": "an email",
    b"Just a few words.": "a text file",
    "Grüße".encode(): "a text file",
    b"P5 10 10 255\n": "a Netpbm image",
    zip_of("[Content_Types].xml", "word/document.xml"): "a Word document",
    zip_of("[Content_Types].xml", "xl/workbook.xml"): "an Excel workbook",
    zip_of("a.txt"): "a ZIP archive",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20): "an old Office document or Outlook message",
    b"\x1f\x8b\x08" + bytes(20): "a gzip archive",
}


@pytest.mark.parametrize("head", OTHERS, ids=OTHERS.values())
def test_what_is_not_read_is_named(head: bytes) -> None:
    assert media_type_of(head) is None
    assert kind_of(head) == OTHERS[head]


@pytest.mark.parametrize("head", [b"", b"\0" * 100, bytes(range(128, 256))])
def test_bytes_without_a_name_are_not_given_one(head: bytes) -> None:
    assert media_type_of(head) is None and kind_of(head) is None


def test_a_raw_photo_in_a_tiffs_clothes_is_named(tmp_path: Path) -> None:
    dng = saved(Image.new("RGB", (60, 40)), "TIFF", tiffinfo={50706: struct.pack("4B", 1, 4, 0, 0)})
    assert inspected(tmp_path, dng).fault == f"is a DNG raw photo, which is not read here; send {READ_HERE}"
