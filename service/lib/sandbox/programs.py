"""Programs under rules, and what this kernel holds of them."""

import functools
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from service.lib.sandbox.confine import Held
from service.lib.sandbox.rules import Rules

LAUNCH = Path(__file__).with_name("launch.py")
IMPORTED = ("service", "landlockpy", "pyseccomp")

REPORT_S = 60.0
"""Limit of a report, which takes a tenth of a second: a busy machine is not one without a sandbox."""


def confined(command: Sequence[str], rules: Rules | None) -> list[str]:
    """A command line that runs `command` under `rules`; None leaves it as it is."""
    return [*_launch(rules), *command] if rules else list(command)


@functools.cache
def held_here() -> Held:
    """Facts of this kernel, by a process that has confined itself. Found once in the life of this one."""
    try:
        done = subprocess.run(
            _launch(Rules()), capture_output=True, timeout=REPORT_S, check=True, stdin=subprocess.DEVNULL
        )
        facts = json.loads(done.stdout)
        return Held(facts["landlock"], facts["seccomp"], tuple(facts["lacks"]))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        # Such as a container whose profile ends a process for the attempt.
        return Held(0, False, (f"files, network and signals (the check failed: {type(error).__name__})",))


def _launch(rules: Rules) -> list[str]:
    return [sys.executable, "-I", "-S", str(LAUNCH), _folders(), rules.json()]


@functools.cache
def _folders() -> str:
    """Folders of the packages that the launcher imports: without the site's folders it starts in half the time."""
    found = [importlib.util.find_spec(name) for name in IMPORTED]
    parents = [
        str(Path(spec.origin).parent.parent if spec.submodule_search_locations else Path(spec.origin).parent)
        for spec in found
        if spec and spec.origin
    ]
    return os.pathsep.join(dict.fromkeys(parents))
