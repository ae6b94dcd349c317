"""CPU seconds of each stage of reading a page, measured in the process that reads it."""

import importlib
import time
from collections import defaultdict
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

STAGES = {
    "decode": (("tasks.ocr.page", "render_image_frame"), ("tasks.ocr.pdf_page", "render_part")),
    "clean": (("tasks.ocr.paper", "cleaned"), ("tasks.ocr.ink", "Ink"), ("tasks.ocr.deskew", "set_upright")),
    "direction": (("tasks.ocr.direction", "direction"),),
    "detection": (("tasks.ocr.ppocr.reader", "located"),),
    "recognition": (("tasks.ocr.ppocr.reader", "read_lines"),),
    "second opinion": (("tasks.ocr.easyocr_decoding.reader", "EasyReader.read"),),
}
"""Functions of each stage, as (module, name in it). Time in one within another counts for the outer one."""

REST = "rest"
"""Time of a page outside all stages."""


class Clock:
    """Seconds of CPU by stage since `take` was last called."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._inside = False
        self._since = time.process_time()

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time added to the stage's."""

        @wraps(function, updated=())
        def measured(*args: Any, **named: Any) -> Any:
            if self._inside:
                return function(*args, **named)
            self._inside, begun = True, time.process_time()
            try:
                return function(*args, **named)
            finally:
                self._inside = False
                self._seconds[stage] += time.process_time() - begun

        return measured

    def take(self) -> dict[str, float]:
        """Seconds of each stage, and of the rest; starts again from nothing."""
        now = time.process_time()
        taken = dict(self._seconds)
        taken[REST] = max(0.0, now - self._since - sum(taken.values()))
        self._seconds.clear()
        self._since = now
        return taken


@cache
def clock() -> Clock:
    """The process's own; from the first call on its functions are timed."""
    made = Clock()
    for stage, places in STAGES.items():
        for module, name in places:
            try:
                holder = importlib.import_module(module)
            except ModuleNotFoundError:
                # Without the second engine its stage has no time.
                continue
            *path, last = name.split(".")
            for part in path:
                holder = getattr(holder, part)
            setattr(holder, last, made.timed(stage, getattr(holder, last)))
    return made
