"""Calls of the API by pages of other websites (CORS), which an operator permits by OFFLOAD_CORS_ORIGINS."""

from litestar.config.cors import CORSConfig

from settings import Settings

PREFLIGHT_S = 600
"""Seconds for which a browser need not ask again; Chromium remembers no longer than two hours."""

TUS_SENT = [
    "Tus-Resumable",
    "Upload-Length",
    "Upload-Offset",
    "Upload-Metadata",
    "Upload-Checksum",
    "X-HTTP-Method-Override",
]
TUS_READ = ["Tus-Resumable", "Location", "Upload-Length", "Upload-Offset", "Upload-Expires", "Offload-File-Id"]
"""Headers of resumable uploads, likewise."""

SENT = ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "Range", *TUS_SENT]
"""Headers that clients of the API send."""

READ = ["Accept-Ranges", "Content-Disposition", "Content-Range", "ETag", "Link", "Retry-After", *TUS_READ]
"""Headers of answers that clients read; a browser hides the others from the page."""


def cross_origin(settings: Settings) -> CORSConfig | None:
    """The rules for pages of other websites; None where none may call.

    A call carries its ticket or key itself. Cookies and passwords that the browser holds for this host are never accepted
    from another website, so that no page can act in the name of an operator who is signed in here.
    """
    if not settings.cors_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=SENT,
        expose_headers=READ,
        allow_credentials=False,
        max_age=PREFLIGHT_S,
    )
