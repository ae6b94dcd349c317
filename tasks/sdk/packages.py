"""Packages of job types that are installed with Offload: found, checked and imported, each alone.

A package is a module that declares by importing: with `job`, `queue`, `schedule`, `alert_rule` and `port` of tasks/sdk. It is
named in OFFLOAD_JOBS, or by an installed distribution in the entry-point group `offload.jobs`. A broken one leaves nothing
behind and takes no other down: `PROBLEMS` says in a sentence what is wrong with it.
"""

import ast
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import TracebackType
from typing import Any

from settings.alert_rules import RULES
from settings.load import PREFIX
from settings.packages import module_names
from settings.queues import Queue, add_named_queues, remove_queue
from settings.schedules import SCHEDULES
from tasks.sdk.chain import chain_problem
from tasks.sdk.extend import MAIL_TEMPLATES, PORTS
from tasks.sdk.types import REGISTRY
from tasks.sdk.version import API_VERSION, NEEDED, problem_of

GROUP = "offload.jobs"
"""Entry points: the name is the package's own, the value its module."""


@dataclass(frozen=True)
class Problem:
    """A package that was left out, with the reason in a sentence."""

    module: str
    sentence: str


LOADED: list[str] = []
"""Modules whose declarations count, in order."""

PROBLEMS: list[Problem] = []

_seen: set[str] = set()


def load_packages(environment: Mapping[str, str] = os.environ, *, alone: bool = False) -> None:
    """Import every package that has not been seen yet. Call it before settings are read: packages may add queues.

    `alone` where our own job types are not declared in this process: what a package follows cannot be checked then.
    """
    add_named_queues(PREFIX, environment)
    for module in _named(environment):
        if module not in _seen:
            _seen.add(module)
            _load(module, alone)


def _named(environment: Mapping[str, str]) -> Iterator[str]:
    """The modules of the environment, then those of installed packages, in the order of their names."""
    try:
        yield from module_names(environment.get(f"{PREFIX}JOBS") or ())
    except ValueError:
        # Settings refuse it with a sentence, as any bad variable.
        return
    yield from sorted(point.value for point in entry_points(group=GROUP))


def _load(module: str, alone: bool) -> None:
    if sentence := _needs(module):
        PROBLEMS.append(Problem(module, sentence))
        return
    if module in sys.modules:
        # A test, or another package, was quicker: what it declares is there.
        LOADED.append(module)
        return
    before = _Declared()
    try:
        importlib.import_module(module)
        if not alone:
            before.check_chains()
    except (Exception, SystemExit) as error:
        before.restore()
        PROBLEMS.append(Problem(module, _sentence(module, error)))
        return
    if not before.differs():
        PROBLEMS.append(
            Problem(module, f"{module} declares nothing: no job type, queue, schedule, alert rule, port or template.")
        )
        return
    LOADED.append(module)


def _needs(module: str) -> str | None:
    """Reason why a module cannot be imported at all: it is not there, or needs another SDK.

    Read from its text: a module that needs a newer SDK may not survive its first import from this one.
    """
    try:
        spec = importlib.util.find_spec(module)
    except (Exception, SystemExit) as error:
        return _sentence(module, error)
    if spec is None:
        return f"{module} is not installed: there is no such module."
    if not spec.origin or not spec.origin.endswith(".py"):
        return None
    try:
        tree = ast.parse(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError):
        # The import itself says what is wrong with it.
        return None
    given = next((_constant(node) for node in tree.body if _assigns(node, NEEDED)), None)
    return problem_of(module, given) if given is not None else None


def _assigns(node: ast.stmt, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _constant(node: Any) -> object:
    return node.value.value if isinstance(node.value, ast.Constant) else ""


class _Declared:
    """Everything that declarations are kept in, as it was."""

    def __init__(self) -> None:
        self.queues = [str(queue) for queue in Queue]
        self.registry, self.ports, self.templates = dict(REGISTRY), dict(PORTS), dict(MAIL_TEMPLATES)
        self.schedules, self.rules = list(SCHEDULES), list(RULES)

    def differs(self) -> bool:
        return (
            self.queues != [str(queue) for queue in Queue]
            or self.registry.keys() != REGISTRY.keys()
            or self.ports.keys() != PORTS.keys()
            or self.templates.keys() != MAIL_TEMPLATES.keys()
            or (len(self.schedules), len(self.rules)) != (len(SCHEDULES), len(RULES))
        )

    def check_chains(self) -> None:
        """Raise ValueError where a new job type follows what it cannot."""
        for name in REGISTRY.keys() - self.registry.keys():
            if problem := chain_problem(REGISTRY[name]):
                raise ValueError(problem)

    def restore(self) -> None:
        """Take back what a package declared before it broke: half of it would be worse than none."""
        for before, now in ((self.registry, REGISTRY), (self.ports, PORTS), (self.templates, MAIL_TEMPLATES)):
            now.clear()
            now.update(before)  # type: ignore[arg-type]  # each of its own type
        SCHEDULES[:], RULES[:] = self.schedules, self.rules
        for queue in [str(queue) for queue in Queue if str(queue) not in self.queues]:
            remove_queue(queue)


def _sentence(module: str, error: BaseException) -> str:
    text = " ".join(str(error).split())[:300]
    if isinstance(error, ModuleNotFoundError) and error.name and module.startswith(error.name.split(".")[0]):
        return f"{module} is not installed: there is no module {error.name}."
    sentence = f"{type(error).__name__}: {text}" if text else type(error).__name__
    where = _location(error.__traceback__)
    return f"{module} breaks as it is imported{where}: {sentence.rstrip('.')}."


def _location(trace: TracebackType | None) -> str:
    """The last line that is the package's own: not of the import system, nor of what it calls of ours."""
    root = Path(__file__).parents[2]
    ours = (str(root / "tasks"), str(root / "settings"))
    frames = [
        frame
        for frame in traceback.extract_tb(trace)
        if "importlib" not in frame.filename and not frame.filename.startswith(ours)
    ]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


__all__ = ["API_VERSION", "LOADED", "PROBLEMS", "Problem", "load_packages"]
