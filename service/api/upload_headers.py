"""Headers of the tus protocol: as parameters of routes, and what stands in them."""

import base64
from collections.abc import Mapping
from typing import Annotated

from litestar.exceptions import HTTPException
from litestar.params import HeaderParameter

from service.documents.checksums import ALGORITHMS
from service.lib.text import NUL
from tasks.sdk.errors import Refused

VERSION = "1.0.0"

METADATA_MAX_BYTES = 4_096
"""Of `Upload-Metadata`: a file's name and type, and little more."""

SIZE_DIGITS = 18
"""Digits of a size: more are no number of bytes that there are."""


Length = Annotated[str | None, HeaderParameter(name="Upload-Length", description="Bytes of the whole file.")]
Offset = Annotated[str | None, HeaderParameter(name="Upload-Offset", description="Bytes that are stored already.")]
Metadata = Annotated[
    str | None,
    HeaderParameter(
        name="Upload-Metadata",
        description="`filename` with its base64; `reuse` with the base64 of true, as in POST /api/files; others are kept.",
    ),
]
Sum = Annotated[
    str | None, HeaderParameter(name="Upload-Checksum", description=f"{', '.join(ALGORITHMS)} and its base64.")
]
Version = Annotated[str | None, HeaderParameter(name="Tus-Resumable", description=VERSION)]


def check_version(version: str | None) -> None:
    """Raises HTTPException (412) for another version of the protocol, or none."""
    if version != VERSION:
        sentence = f"Send Tus-Resumable: {VERSION}, the version of the tus protocol that is spoken here."
        raise HTTPException(sentence, status_code=412, headers={"Tus-Version": VERSION})


def number(text: str | None, name: str) -> int:
    """The number of bytes in a header. Raises Refused."""
    if text is None:
        raise Refused(f"The header {name} is missing.", field=name)
    if not (text.isascii() and text.isdigit() and len(text) <= SIZE_DIGITS):
        raise Refused(f"{name} is a number of bytes.", field=name)
    return int(text)


def metadata(header: str) -> Mapping[str, str]:
    """The pairs of `Upload-Metadata`. Raises Refused."""
    if len(header) > METADATA_MAX_BYTES:
        raise Refused(f"Upload-Metadata is longer than {METADATA_MAX_BYTES:,} bytes.", field="Upload-Metadata")
    found = {}
    for pair in filter(None, (one.strip() for one in header.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            found[key] = base64.b64decode(encoded.strip(), validate=True).decode()
        except ValueError:
            # Text that is not base64, base64 of other text, and letters outside of ASCII: Python has an error for each.
            raise Refused(
                f"Upload-Metadata: {key[:50]} is not base64 of a UTF-8 text.", field="Upload-Metadata"
            ) from None
        if NUL in found[key] or NUL in key:
            raise Refused(f"Upload-Metadata: {key[:50]} holds a NUL character.", field="Upload-Metadata")
    return found
