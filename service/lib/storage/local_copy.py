"""A stored object as a file on this machine."""

from pathlib import Path

import aiofiles
import aiofiles.os

from service.lib.storage.object_storage import Storage


async def copy_to(storage: Storage, path: str, folder: Path, name: str) -> Path:
    """A local file with the object's bytes: the stored one itself where it lies on this disk as it is, else a copy in `folder`.

    A copy that is there already is returned as it is: what is stored under a path never changes. Raises NoSuchObject, Unreadable.
    """
    target, unfinished = folder / name, folder / f"{name}.part"
    if await aiofiles.os.path.isfile(target):
        return target
    if (stored := await storage.plain_path(path)) is not None:
        return stored
    chunks = await storage.stream(path)
    async with aiofiles.open(unfinished, "wb") as file:
        async for chunk in chunks:
            await file.write(chunk)
    return unfinished.rename(target)
