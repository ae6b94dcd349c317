"""The records of uploaded images, which say `processing`, then `ready` or `failed`."""

from typing import Protocol

from tasks.images.photo_facts import Photo


class Images(Protocol):
    """One record an image, under its file's id."""

    async def processing(self, file_id: str, job_id: str | None) -> None:
        """Work on it is about to begin (again)."""
        ...

    async def ready(self, file_id: str, photo: Photo) -> None:
        """Cover, preview and facts are there. The pictures are stored before the record says so."""
        ...

    async def failed(self, file_id: str, reason: str) -> None:
        """There will be none, for a reason in one sentence."""
        ...
