"""What packages were written against stays: the names and arguments of `tasks.sdk` 1.0, as `surface-1.0.json` has them.

The file is written once a minor version, by `python -m tests.tasks.sdk.test_surface`, and never changed afterwards.
"""

import enum
import inspect
import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from tasks import sdk
from tasks.sdk.declaring import JobOptions

RECORDED = sorted(Path(__file__).parent.glob(f"surface-{sdk.API_VERSION[0]}.*.json"))
NEEDED = "needed"


def arguments(thing: Any) -> dict[str, str]:
    """Name of each argument by how it may be given: the kind, and whether it must be."""
    try:
        parameters = inspect.signature(thing).parameters.values()
    except ValueError:
        return {}
    return {
        parameter.name: f"{parameter.kind.name.lower()} {NEEDED if parameter.default is parameter.empty else 'optional'}"
        for parameter in parameters
        if parameter.name != "self"
    }


def surface() -> dict[str, dict[str, str]]:
    """Each public name by its arguments; of `Run` also each method, of `job` also each option, of an enumeration its members."""
    found: dict[str, dict[str, str]] = {}
    for name in sdk.__all__:
        thing = getattr(sdk, name)
        if inspect.isclass(thing) and issubclass(thing, enum.Enum):
            found[name] = {member.name: str(member.value) for member in thing}
        elif thing is not sdk.Run:
            found[name] = arguments(thing) if callable(thing) else {}
    for name, method in inspect.getmembers(sdk.Run, inspect.isfunction):
        if not name.startswith("_"):
            found[f"Run.{name}"] = arguments(method)
    found["job(...)"] = dict.fromkeys(get_type_hints(JobOptions), "keyword_only optional")
    return found


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
def test_what_a_minor_version_had_is_still_there(recorded: Path) -> None:
    before, now = json.loads(recorded.read_text()), surface()
    assert not set(before) - set(now), "names that packages import are gone"
    for name, given in before.items():
        changed = {
            argument: (kind, now[name].get(argument))
            for argument, kind in given.items()
            if now[name].get(argument) != kind
        }
        assert not changed, f"{name} no longer takes what it took: {changed}"
        added = {argument for argument in set(now[name]) - set(given) if NEEDED in now[name][argument]}
        assert not added, f"{name} needs more than it did: {added}"


def test_the_version_of_today_is_recorded() -> None:
    assert f"surface-{sdk.API_VERSION[0]}.{sdk.API_VERSION[1]}" in {path.stem for path in RECORDED}


if __name__ == "__main__":
    path = Path(__file__).with_name(f"surface-{sdk.API_VERSION[0]}.{sdk.API_VERSION[1]}.json")
    path.write_text(json.dumps(surface(), indent=1, sort_keys=True) + "\n")
