"""What a file is, told by its first bytes; its name and what the client says of it are not asked."""

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
)


def media_type_of(head: bytes) -> str | None:
    """Media type of a file by its first `SNIFF_BYTES` bytes, or None where it is neither a PDF nor an image we read."""
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if b"%PDF-" in head[:SNIFF_BYTES]:
        return PDF
    return None
