"""`Way`: the project's files that are entered while something is done, as the interpreter's profiler sees them."""

import asyncio
import contextlib
import sys
from collections.abc import Set
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[1]


class Way:
    """Files of this thread in the order in which they are entered, between `begin` and `end`."""

    def __init__(self, apart: Set[str] = frozenset()) -> None:
        self.apart = apart
        """Names of the coroutines of tasks that are not part of it."""
        self.files: list[str] = []

    def begin(self) -> None:
        sys.setprofile(self._called)

    def end(self) -> None:
        sys.setprofile(None)

    def _called(self, frame: FrameType, event: str, _: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event != "call" or not path.is_relative_to(ROOT) or path == Path(__file__) or path.name.startswith("test_"):
            return
        with contextlib.suppress(RuntimeError):
            task = asyncio.current_task()
            if task is not None and task.get_coro().__qualname__ in self.apart:
                return
        self.files.append(str(path.relative_to(ROOT)))

    def rooms(self) -> list[str]:
        """The rooms in turn, without lib, whose tools belong to no room."""
        named = [room(file) for file in self.files]
        visited = [name for name in named if name != "lib"]
        return [name for place, name in enumerate(visited) if place == 0 or visited[place - 1] != name]


def room(file: str) -> str:
    """The room of a file: of service/ its folder, else the package. Jobs of tests count as tasks."""
    package, folder, *_ = file.split("/")
    return folder if package == "service" else "tasks" if package == "tests" else package
