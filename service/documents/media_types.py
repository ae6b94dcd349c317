"""Media type of a file by its first bytes; its name and what the client declares are not used."""

PDF = "application/pdf"

SNIFF_BYTES = 1024
"""A PDF may begin with up to so many bytes of something else (ISO 32000-1, Annex H, note 13)."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/jp2"),
)

_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"hevx": "image/heic",
    b"mif1": "image/heic",
    b"msf1": "image/heic",
}
"""Brands of the ISO base media format (ISO/IEC 23008-12, Annex B)."""

_AUDIO_BRANDS = (b"M4A ", b"M4B ", b"M4P ")

_OLD_QUICKTIME = (b"moov", b"wide", b"mdat", b"free", b"skip")
"""First boxes of QuickTime files from before they named their type."""

VIDEOS = (
    "video/mp4",
    "video/quicktime",
    "video/3gpp",
    "video/webm",
    "video/x-matroska",
    "video/x-msvideo",
)
"""Media types of the videos that are read here."""

_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
"""Sizes of a bitmap's second header: two letters alone would make many texts a bitmap."""

IMAGES = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/tiff",
    "image/gif",
    "image/bmp",
    "image/avif",
    "image/heic",
    "image/jp2",
)
"""Media types of the pictures that are read here."""

READ_HERE = (
    "PDF; JPEG, PNG, TIFF, WebP, GIF, BMP, AVIF, HEIC or JPEG 2000; or MP4, QuickTime, 3GP, WebM, Matroska or AVI video"
)
"""Formats to send, for people."""


def media_type_of(head: bytes) -> str | None:
    """Media type of a file by its first `SNIFF_BYTES` bytes, or None where it is of another kind."""
    if head[8:10] == b"CR" and head.startswith((b"II*\0", b"MM\0*")):
        # A camera's raw picture in a TIFF's clothes.
        return None
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if head[4:8] in _OLD_QUICKTIME and head[0] < 0x20:
        # Text has no such first byte, though it may have the word.
        return "video/quicktime"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return _of_matroska(head)
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    if b"%PDF-" in head[:SNIFF_BYTES]:
        return PDF
    return None


def _of_brands(head: bytes) -> str | None:
    """By the major brand, then by the compatible ones: `mif1` alone says only that it is a picture."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size, 4))]
    known = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    if known:
        return "image/avif" if "image/avif" in known else known[0]
    if brands[0] in _AUDIO_BRANDS or brands[0] == b"crx ":
        return None
    if brands[0] == b"qt  ":
        return "video/quicktime"
    return "video/3gpp" if brands[0][:2] == b"3g" else "video/mp4"


def _of_matroska(head: bytes) -> str | None:
    """By the document type, the text after the id 0x4282 and its length."""
    kind = head[:64].partition(b"\x42\x82")[2][1:9]
    return "video/webm" if kind.startswith(b"webm") else "video/x-matroska" if kind == b"matroska" else None
