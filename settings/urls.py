"""Checks of the URLs an operator gives."""

from urllib.parse import urlsplit

from pydantic import AfterValidator


def url_of(*schemes: str, host: bool = False) -> AfterValidator:
    """Accept a URL of one of `schemes`; with `host`, only one that names a host. The text is kept as given."""

    def check(url: str) -> str:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError where the port is no number
        if parts.scheme not in schemes or (host and not parts.hostname):
            raise ValueError("not such a URL")
        return url

    return AfterValidator(check)


def file_or_s3_url(url: str) -> str:
    """Accept file:///absolute/folder and s3://bucket/prefix."""
    parts = urlsplit(url)
    local = parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
    if not local and not (parts.scheme == "s3" and parts.netloc):
        raise ValueError("not such a URL")
    return url
