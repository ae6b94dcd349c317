"""PDFs made to harm: each is built from its objects, so that any of them may lie."""

import zlib
from collections.abc import Callable, Mapping

from tests.documents.images.pictures import saved, scene
from tests.documents.samples import pdf, picture

PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << %s >> >>"
TREE = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
DRAWING = b"0 0 m 150 150 l S 20 20 60 40 re f"


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def packed(content: bytes, times: int = 1, entries: bytes = b"") -> bytes:
    """A stream under `times` layers of deflate."""
    for _ in range(times):
        content = zlib.compress(content, 9)
    return stream(content, b"/Filter [%s] %s" % (b" /FlateDecode" * times, entries))


def flood(megabytes: int, piece: bytes = b" " * (1 << 20)) -> bytes:
    """Deflated data that unpacks to so many times `piece`."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(piece) for _ in range(megabytes)) + packer.flush()


def of_objects(
    objects: Mapping[int, bytes], *, catalog: bytes = b"", resources: bytes = b"", content: bytes = DRAWING
) -> bytes:
    """A whole file: a catalog, a page tree and a page, unless `objects` (by number) has others in their place."""
    whole = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: TREE,
        3: PAGE % resources,
        4: stream(content),
        **objects,
    }
    made, offsets = bytearray(b"%PDF-1.7\n"), {}
    for number, body in sorted(whole.items()):
        offsets[number] = len(made)
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size, start = max(whole) + 1, len(made)
    rows = b"".join(
        b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 65535 f \n"
        for number in range(size)
    )
    made += b"xref\n0 %d\n%s" % (size, rows)
    return bytes(made) + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)


def image(width: int, height: int, kind: bytes, data: bytes) -> bytes:
    """A page that is covered by one picture of any claim."""
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 %s" % (width, height, kind)
    return of_objects(
        {5: stream(data, entries)}, resources=b"/XObject << /I 5 0 R >>", content=b"200 0 0 200 0 0 cm /I Do"
    )


def forms(depth: int) -> bytes:
    """Forms of which each draws the next."""
    kind = b"/Type /XObject /Subtype /Form /BBox [0 0 200 200]"
    nested = {
        number: stream(b"/F Do", kind + b" /Resources << /XObject << /F %d 0 R >> >>" % (number + 1))
        for number in range(5, 5 + depth)
    }
    nested[5 + depth] = stream(DRAWING, kind)
    return of_objects(nested, resources=b"/XObject << /F 5 0 R >>", content=b"/F Do")


def doubling_forms(depth: int) -> bytes:
    """Forms of which each draws the next ten times: 10^depth drawings in a few kilobytes."""
    kind = b"/Type /XObject /Subtype /Form /BBox [0 0 200 200]"
    nested = {
        number: stream(b"/F Do " * 10, kind + b" /Resources << /XObject << /F %d 0 R >> >>" % (number + 1))
        for number in range(5, 5 + depth)
    }
    nested[5 + depth] = stream(DRAWING, kind)
    return of_objects(nested, resources=b"/XObject << /F 5 0 R >>", content=b"/F Do")


def form_of_itself() -> bytes:
    kind = b"/Type /XObject /Subtype /Form /BBox [0 0 200 200] /Resources << /XObject << /F 5 0 R >> >>"
    return of_objects({5: stream(b"/F Do", kind)}, resources=b"/XObject << /F 5 0 R >>", content=b"/F Do")


def pages_within_pages(depth: int) -> bytes:
    """A page tree in which each node has the next as its only child."""
    nodes = {2: b"<< /Type /Pages /Count 1 /Kids [10 0 R] >>"}
    for number in range(10, 10 + depth):
        child = number + 1 if number < 9 + depth else 3
        nodes[number] = b"<< /Type /Pages /Count 1 /Kids [%d 0 R] /Parent 2 0 R >>" % child
    return of_objects(nodes)


def actions(canary: str) -> bytes:
    """Actions that a viewer would run, or fetch, as it opens the file."""
    url = canary.encode()
    return of_objects(
        {
            5: b"<< /S /JavaScript /JS (app.launchURL\\('%s'\\); this.exportDataObject\\({cName:'../../evil'}\\);) >>"
            % url,
            6: b"<< /S /Launch /F (/bin/sh) /Win << /F (cmd.exe) /P (/c calc) >> >>",
            7: b"<< /S /URI /URI (%s) >>" % url,
            8: b"<< /S /SubmitForm /F << /FS /URL /F (%s) >> >>" % url,
            9: b"<< /S /GoToR /F << /FS /URL /F (%s) >> /D [0 /Fit] >>" % url,
            10: b"<< /S /ImportData /F (/etc/passwd) >>",
            3: PAGE % b"" + b"",
            11: b"<< /Type /Annot /Subtype /Link /Rect [0 0 200 200] /A 7 0 R /AA << /E 5 0 R /D 6 0 R /U 8 0 R >> >>",
            12: b"<< /Length 4 /F << /FS /URL /F (%s) >> >>\nstream\nnone\nendstream" % url,
        },
        catalog=b"/OpenAction 5 0 R /AA << /WC 6 0 R /WS 7 0 R /DS 8 0 R /WP 9 0 R /DP 10 0 R >>",
    ).replace(b"/Resources <<  >>", b"/Resources <<  >> /Annots [11 0 R] /AA << /O 5 0 R /C 6 0 R >>")


def content_elsewhere(canary: str) -> bytes:
    """A page whose drawing and whose picture are to be fetched."""
    url = canary.encode()
    fetched = b"/F << /FS /URL /F (%s) >>" % url
    picture = b"/Type /XObject /Subtype /Image /Width 9 /Height 9 /BitsPerComponent 8 /ColorSpace /DeviceGray "
    return of_objects(
        {4: stream(b"", fetched), 5: stream(b"", picture + fetched)}, resources=b"/XObject << /I 5 0 R >>"
    )


def attachments() -> bytes:
    """Embedded files whose names lead out of any folder."""
    names = [
        b"../../../../tmp/offload-escaped",
        b"/tmp/offload-escaped",
        b"..\\\\..\\\\evil.exe",
        b"a\\000b",
        b"x" * 5000,
    ]
    listed = b" ".join(b"(%s) %d 0 R" % (name, 20 + at) for at, name in enumerate(names))
    files = {
        20 + at: b"<< /Type /Filespec /F (%s) /UF (%s) /EF << /F 30 0 R >> >>" % (name, name)
        for at, name in enumerate(names)
    }
    return of_objects(
        files | {30: stream(b"escaped", b"/Type /EmbeddedFile")},
        catalog=b"/Names << /EmbeddedFiles << /Names [%s] >> >>" % listed,
    )


def annotations(count: int) -> bytes:
    one = b"<< /Type /Annot /Subtype /Square /Rect [0 0 9 9] >>"
    return of_objects({}).replace(b"/Resources <<  >>", b"/Resources <<  >> /Annots [%s]" % (one * count))


def font(program: bytes, kind: bytes = b"FontFile2") -> bytes:
    """A page with words in an embedded font of any content."""
    return of_objects(
        {
            5: b"<< /Type /Font /Subtype /TrueType /BaseFont /Broken /FirstChar 32 /LastChar 33 /Widths [500 500] "
            b"/FontDescriptor 6 0 R >>",
            6: b"<< /Type /FontDescriptor /FontName /Broken /Flags 32 /FontBBox [-9999999 -9999999 9999999 9999999] "
            b"/ItalicAngle 0 /Ascent 2147483647 /Descent -2147483648 /CapHeight 1 /StemV 1 /%s 7 0 R >>" % kind,
            7: stream(program, b"/Length1 2147483647"),
        },
        resources=b"/Font << /F 5 0 R >>",
        content=b"BT /F 99999999 Tf 9 9 Td (words of no shape) Tj ET",
    )


def jp2(width: int, height: int) -> bytes:
    """A JPEG 2000 whose header claims other sides."""
    data = bytearray(saved(scene(64, 48), "JPEG2000", no_jp2=True))
    at = data.index(b"\xff\x51") + 6
    data[at : at + 8] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[at + 16 : at + 24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return bytes(data)


JBIG2 = b"\0\0\0\0\x30\0\x01\0\0\0\x13" + b"\xff\xff\xff\x7f" * 2 + bytes(8) + b"\0\0\0"
"""A page of 4 billion × 4 billion points, and nothing on it."""

GREY, NO_BOUND = b"/ColorSpace /DeviceGray /Filter", b"2147483647"


def sample_function(size: int) -> bytes:
    """A shading by a sampled function that claims size⁴ samples."""
    return of_objects(
        {
            5: b"<< /ShadingType 1 /ColorSpace /DeviceRGB /Function 6 0 R >>",
            6: stream(
                b"\0" * 64,
                b"/FunctionType 0 /Domain [0 1 0 1] /Range [0 1 0 1 0 1] /BitsPerSample 32 /Size [%d %d]"
                % (size, size),
            ),
        },
        resources=b"/Shading << /S 5 0 R >>",
        content=b"/S sh",
    )


def endless_pattern() -> bytes:
    """A tiling whose steps are next to nothing: billions of tiles."""
    tile = b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.00001 /YStep 0.00001 "
    return of_objects(
        {5: stream(DRAWING, tile + b"/Resources << >>")},
        resources=b"/Pattern << /P 5 0 R >>",
        content=b"/Pattern cs /P scn 0 0 200 200 re f",
    )


def sized(box: bytes, more: bytes = b"") -> bytes:
    return of_objects({3: (PAGE % b"").replace(b"[0 0 200 200]", box).replace(b"/Resources", more + b" /Resources")})


def hostile_pdfs(canary: str) -> dict[str, Callable[[], bytes]]:
    """Builders by name; those that name a place in the network name `canary`."""
    return {
        "page tree in a circle": lambda: of_objects({2: b"<< /Type /Pages /Count 3 /Kids [2 0 R 3 0 R 2 0 R] >>"}),
        "page that is its own parent": lambda: of_objects({3: (PAGE % b"").replace(b"/Parent 2", b"/Parent 3")}),
        "2^31 pages": lambda: of_objects({2: TREE.replace(b"/Count 1", b"/Count 2147483648")}),
        "2^31 - 1 pages": lambda: of_objects({2: TREE.replace(b"/Count 1", b"/Count 2147483647")}),
        "-1 pages": lambda: of_objects({2: TREE.replace(b"/Count 1", b"/Count -1")}),
        "page tree 20,000 deep": lambda: pages_within_pages(20_000),
        "forms 5,000 deep": lambda: forms(5_000),
        "form that draws itself": form_of_itself,
        "page of 10^9 points": lambda: sized(b"[0 0 1e9 1e9]"),
        "page of 10^38 points": lambda: sized(b"[-1e38 -1e38 1e38 1e38]"),
        "page of no number": lambda: sized(b"[null (a) << >> [0]]"),
        "UserUnit of 10^9": lambda: sized(b"[0 0 200 200]", b"/UserUnit 1000000000"),
        "UserUnit below nothing": lambda: sized(b"[0 0 200 200]", b"/UserUnit -1"),
        "turned by 2^31": lambda: sized(b"[0 0 200 200]", b"/Rotate 2147483647"),
        "content of 500 layers": lambda: of_objects({4: packed(DRAWING, 500)}),
        "picture of 65,000 × 65,000": lambda: image(65_000, 65_000, GREY + b" /FlateDecode", flood(1)),
        "picture of no bound": lambda: image(1, 1, GREY + b" /FlateDecode", flood(1)).replace(
            b"/Width 1 /Height 1", b"/Width 2147483647 /Height 2147483647"
        ),
        "JBIG2 of 4 billion points": lambda: image(30_000, 30_000, GREY + b" /JBIG2Decode", JBIG2),
        "JBIG2 of noise": lambda: image(3_000, 3_000, GREY + b" /JBIG2Decode", JBIG2[:11] + bytes(range(256)) * 40),
        "JPX of 60,000 × 60,000": lambda: image(60_000, 60_000, b"/Filter /JPXDecode", jp2(60_000, 60_000)),
        "fax of a million rows": lambda: image(
            1_728, 1_000_000, GREY + b" /CCITTFaxDecode /DecodeParms << /K -1 /Columns 1728 /Rows 1000000 >>", b"\0\1"
        ),
        "predictor of 2^31 columns": lambda: image(
            9, 9, GREY + b" /FlateDecode /DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 32 >>", flood(1)
        ),
        "scripts, programs and addresses": lambda: actions(canary),
        "content to be fetched": lambda: content_elsewhere(canary),
        "attachments with paths": attachments,
        "font of noise": lambda: font(b"\0\1\0\0\0\x0a" + bytes(range(256)) * 30),
        "font of nothing": lambda: font(b""),
        "font in a wrong key": lambda: font(b"\xff" * 4_000, b"FontFile3"),
        "function of 10^9 samples": lambda: sample_function(30_000),
        "arrays 200,000 deep": lambda: of_objects({4: stream(b"[" * 200_000)}),
        "catalog of arrays 100,000 deep": lambda: of_objects({}, catalog=b"/X " + b"[" * 100_000 + b"]" * 100_000),
        "states saved a million times": lambda: of_objects({}, content=b"q " * 1_000_000 + DRAWING),
        "dashes without length": lambda: of_objects({}, content=b"[0.0001 0.0001] 0 d 0 0 m 99999999 9 l S"),
        "length that lies": lambda: of_objects({}).replace(b"/Length %d" % len(DRAWING), b"/Length " + NO_BOUND),
        "stream whose length is itself": lambda: of_objects({4: stream(DRAWING).replace(b"34", b"4 0 R")}),
        "xref that points nowhere": lambda: of_objects({}).replace(b"00000 n", b"99999 n"),
        "xref before itself": lambda: of_objects({}).replace(b"/Root", b"/Prev 9 /XRefStm 9 /Root"),
        "xref in a circle": xref_in_a_circle,
        "startxref of 10^19": lambda: of_objects({}).replace(b"startxref\n", b"startxref\n9999999999999999"),
        "no root": lambda: of_objects({}).replace(b"/Root 1 0 R", b""),
        "unknown password": lambda: pdf(1, password="secret"),
        "unknown filter of protection": lambda: of_objects({}).replace(
            b"/Root", b"/Encrypt << /Filter /Mine /V 99 /R 99 /O () /U () /P 0 >> /ID [() ()] /Root"
        ),
        "cut short": lambda: pdf(9)[:-400],
        "PDF and ZIP and web page": lambda: b"<html><script>alert(1)</script><!--" + pdf(1) + b"PK\x03\x04" + bytes(60),
        "PDF within a GIF": lambda: picture("GIF") + pdf(1),
    }


def greedy_pdfs() -> dict[str, Callable[[], bytes]]:
    """Builders of files that take all the time and memory that they are given, by name."""
    return {
        "forms ten times each, twelve deep": lambda: doubling_forms(12),
        "content of 1.2 GB in three layers": lambda: of_objects(
            {4: packed(flood(1_200), 2).replace(b"/FlateDecode /FlateDecode", b"/FlateDecode " * 3)}
        ),
        "picture of 900 MB in a few": lambda: image(30_000, 30_000, GREY + b" /FlateDecode", flood(860)),
        "100,000 annotations": lambda: annotations(100_000),
        "pattern of endless tiles": endless_pattern,
    }


def xref_in_a_circle() -> bytes:
    made = of_objects({})
    start = made.index(b"xref\n0")
    return made.replace(b"/Root", b"/Prev %d /Root" % start)
