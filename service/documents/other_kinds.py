"""Names for files that are not read here, so that a refusal says what was sent."""

_SIGNATURES = (
    (0, b"8BPS", "a Photoshop file"),
    (0, b"AT&TFORM", "a DjVu file"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (8, b"CR", "a Canon raw photo"),
    (0, b"II\x1a\0\0\0HEAPCCDR", "a Canon raw photo"),
    (0, b"IIRO", "an Olympus raw photo"),
    (0, b"IIRS", "an Olympus raw photo"),
    (0, b"IIU\0", "a Panasonic raw photo"),
    (0, b"FUJIFILMCCD-RAW", "a Fujifilm raw photo"),
    (0, b"FOVb", "a Sigma raw photo"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (0, b"II\xbc\x01", "a JPEG XR image"),
    (0, b"gimp xcf", "a GIMP file"),
    (0, b"\0\0\x01\0", "an icon file"),
    (0, b"v/1\x01", "an OpenEXR image"),
    (0, b"#?RADIANCE", "a Radiance image"),
    (0, b"FLIF", "a FLIF image"),
    (0, b"qoif", "a QOI image"),
    (0, b"SIMPLE  =", "a FITS image"),
    (128, b"DICM", "a DICOM image"),
    (40, b" EMF", "a Windows metafile"),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (0, b"\x0a\x05\x01\x08", "a PCX image"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"PK\x05\x06", "a ZIP archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"OggS", "an Ogg file"),
    (0, b"fLaC", "a FLAC audio file"),
    (0, b"ID3", "an MP3 audio file"),
    (0, b"MZ", "a Windows program"),
    (0, b"\x7fELF", "a program"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"%FDF-", "a file of PDF form data"),
    (0, b"AC10", "an AutoCAD drawing"),
)
"""(offset, bytes, name) in the order in which they are tried."""

_RIFF = {b"WAVE": "a WAV audio file"}

_OFFICE = (
    (b"word/", "a Word document"),
    (b"xl/", "an Excel workbook"),
    (b"ppt/", "a PowerPoint presentation"),
    (b"application/vnd.oasis.opendocument.text", "an OpenDocument text"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet"),
    (b"application/vnd.oasis.opendocument.presentation", "an OpenDocument presentation"),
    (b"application/epub+zip", "an EPUB book"),
)
"""Names within a ZIP archive's first bytes that tell what it holds."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_NETPBM = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7")

_MARKUP = (
    (b"<svg", "an SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<xdp:xdp", "an XFA form"),
    (b"<?xml", "an XML file"),
)

_MAIL_HEADERS = (b"received:", b"return-path:", b"mime-version:", b"from:", b"message-id:", b"delivered-to:")


def kind_of(head: bytes) -> str | None:
    """Name of the format of a file by its first bytes, with its article; None for one that is not known."""
    for offset, signature, name in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature and not (offset == 8 and not _is_tiff(head)):
            return _in_zip(head) if name == "a ZIP archive" else name
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "a RIFF file")
    if head[4:8] == b"ftyp":
        return "a Canon raw photo" if head[8:12] == b"crx " else "an MPEG-4 audio file"
    if head.startswith(_OLE):
        return "an old Office document or Outlook message"
    if head[:2] in _NETPBM and head[2:3].isspace():
        return "a Netpbm image"
    return _text(head)


def _is_tiff(head: bytes) -> bool:
    return head[:4] in (b"II*\0", b"MM\0*")


def _in_zip(head: bytes) -> str:
    return next((name for mark, name in _OFFICE if mark in head), "a ZIP archive")


def _text(head: bytes) -> str | None:
    """Name of a kind of text; None for bytes that are none."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
    for mark, name in _MARKUP:
        if start.startswith(mark):
            return "an SVG drawing" if b"<svg" in start else name
    if any(start.startswith(header) for header in _MAIL_HEADERS):
        return "an email"
    if not head.strip(b"\0") or b"\0" in head:
        return None
    try:
        # The last character may be cut.
        head.decode("utf-8") if len(head) < 4 else head[:-3].decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "a text file"
