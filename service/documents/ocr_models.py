"""Preparation of the int8 networks during the work: one process at the lowest priority, once a machine."""

import asyncio
import contextlib
import importlib.util
import os
import sys
from pathlib import Path

import structlog

from service.lib.parent_death import tied
from tasks.ocr.networks.model_cache import Shelf
from tasks.ocr.networks.names import state

log = structlog.get_logger("offload.worker")


class ModelPreparation:
    """Keeps `python -m tasks.ocr.networks.prepare` running from `start` until it is done or `stop` is called.

    In the meantime pages are read with the larger networks; the pool's children take up the smaller ones when they are there.
    A process that finds them there already, or being made by another one, ends immediately.
    """

    def __init__(self, models: Path) -> None:
        self._models = models
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Begin, unless this installation reads no pictures (the `ocr` extra is missing)."""
        if importlib.util.find_spec("easyocr") is None or importlib.util.find_spec("nncf") is None:
            return
        self._models.mkdir(parents=True, exist_ok=True)
        log.info("ocr_models.checked", state=await asyncio.to_thread(state, Shelf(self._models), ("en",)))
        with (self._models / "prepare.log").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *tied([sys.executable, "-m", "tasks.ocr.networks.prepare", str(self._models)]),
                stdout=output,
                stderr=output,
            )

    async def stop(self) -> None:
        """End it, finished or not; what it has not finished begins again the next time."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, 9)
            await self._process.wait()
