"""Exports written by the child's own function, without queue or worker."""

import asyncio
from pathlib import Path
from typing import Any

from service.exports import Records
from tasks.exports.selection import select
from tasks.exports.writing import ExportRequest, Written, write_export
from tests.exports.conftest import Parts


async def nothing(_rows: int) -> None:
    """Takes a report that is not read."""


async def order(services: Parts, folder: Path, dataset: str, **requested: Any) -> ExportRequest:
    """What the child would be told. `asked`: params, columns, owner, and the options of ExportRequest."""
    selection = select(
        dataset, requested.pop("params", {}), requested.pop("columns", None), requested.pop("owner", "acme")
    )
    folder.mkdir(parents=True, exist_ok=True)
    source, query = await Records(services.database, services.store).prepare(selection, folder, nothing)
    file_format = requested.pop("format", "csv")
    return ExportRequest(
        source=source,
        query=query,
        title=selection.dataset.title,
        columns=selection.columns,
        target=folder / f"export.{file_format}",
        tally=folder / "tally",
        format=file_format,
        **requested,
    )


async def written(services: Parts, folder: Path, dataset: str, **requested: Any) -> tuple[Path, Written]:
    """The file and what the child says of it."""
    wanted = await order(services, folder, dataset, **requested)
    return wanted.target, await asyncio.to_thread(write_export, wanted)
