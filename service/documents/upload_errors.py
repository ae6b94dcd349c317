"""Errors of an upload of several requests."""


class NoSuchUpload(Exception):
    """There is no such upload, or it belongs to another owner."""

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"there is no upload {upload_id[:80]}")


class UploadExpired(Exception):
    """The upload was not finished in time."""


class OffsetConflict(Exception):
    """The piece does not begin where the stored bytes end."""

    def __init__(self, received: int) -> None:
        super().__init__(f"the upload continues at byte {received}: ask for its offset with HEAD, and send from there")


class TooManyUploads(Exception):
    """The owner has as many unfinished uploads as it may have."""
