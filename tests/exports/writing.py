"""Exports written by the child's own function, without queue or worker."""

import asyncio
from pathlib import Path
from typing import Any

from service.exports import Records
from tasks.exports.selection import select
from tasks.exports.writing import Order, Written, write_export
from tests.exports.conftest import Parts


async def nothing(_rows: int) -> None:
    """Takes a report that nobody reads."""


async def order(services: Parts, folder: Path, dataset: str, **asked: Any) -> Order:
    """What the child would be told. `asked`: params, columns, owner, and the options of Order."""
    selection = select(dataset, asked.pop("params", {}), asked.pop("columns", None), asked.pop("owner", "acme"))
    folder.mkdir(parents=True, exist_ok=True)
    source, query = await Records(services.database, services.store).prepare(selection, folder, nothing)
    file_format = asked.pop("format", "csv")
    return Order(
        source=source,
        query=query,
        title=selection.dataset.title,
        columns=selection.columns,
        target=folder / f"export.{file_format}",
        tally=folder / "tally",
        format=file_format,
        **asked,
    )


async def written(services: Parts, folder: Path, dataset: str, **asked: Any) -> tuple[Path, Written]:
    """The file and what the child says of it."""
    wanted = await order(services, folder, dataset, **asked)
    return wanted.target, await asyncio.to_thread(write_export, wanted)
