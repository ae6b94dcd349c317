"""A stored object as a file on this machine."""

from pathlib import Path

import aiofiles
import aiofiles.os

from service.lib.object_storage import NoSuchObject, Storage


async def copy_to(storage: Storage, path: str, folder: Path, name: str) -> Path:
    """A local file with the object's bytes: the stored one itself where storage is local, else a copy in `folder`.

    A copy that is there already is returned as it is: what is stored under a path never changes.
    """
    local = storage.local_path(path)
    if local is not None:
        if not await aiofiles.os.path.isfile(local):
            raise NoSuchObject(path)
        return local
    target, unfinished = folder / name, folder / f"{name}.part"
    if await aiofiles.os.path.isfile(target):
        return target
    chunks = await storage.stream(path)
    async with aiofiles.open(unfinished, "wb") as file:
        async for chunk in chunks:
            await file.write(chunk)
    return unfinished.rename(target)
