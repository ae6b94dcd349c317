"""Answering with a small picture that never changes under its URL, as long as it is there."""

from typing import Any

from litestar import Request, Response

from service.api.downloads import matches
from tasks.images.variants import MEDIA_TYPES, RECIPE, Variant

AN_HOUR = "private, max-age=3600, immutable"
"""An hour: what was deleted, or may not be seen any more, is out of a browser's cache on the same day. `private`: only the
owner's key opens it."""


def picture_response(request: Request[Any, Any, Any], data: bytes, media_type: str, etag: str) -> Response[Any]:
    """200 with the picture, or 304 where the client has it. `etag` is without its quotes."""
    headers = {
        "Cache-Control": AN_HOUR,
        "ETag": f'"{etag}"',
        "Vary": "Accept, Authorization",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": "inline",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if matches(request.headers.get("if-none-match"), etag):
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    return Response(data, headers=headers, media_type=media_type)


def thumbnail_response(request: Request[Any, Any, Any], data: bytes, sha256: str, variant: Variant) -> Response[Any]:
    """As `picture_response`, for the thumbnail of a content."""
    etag = f"{sha256[:32]}-{RECIPE}-{variant.size}-{variant.format}"
    return picture_response(request, data, MEDIA_TYPES[variant.format], etag)
