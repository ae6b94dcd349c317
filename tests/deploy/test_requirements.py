"""The lists that the images install by hash: complete, and of the versions that all else here is tested with."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?P<marker> ; [^\\]+)?", re.MULTILINE)
EXTRAS = {"web": ["otel"], "ocr": ["ocr", "otel"], "easyocr": ["easyocr", "otel"]}


def pins(path: Path) -> dict[str, str]:
    return {canonicalize_name(pin["name"]): pin["version"] for pin in PIN.finditer(path.read_text())}


def installed_for(requirements: list[str]) -> set[str]:
    """Names of all packages that `requirements` bring on this machine, read from what is installed here."""
    found: set[str] = set()
    todo = [(Requirement(text), "") for text in requirements]
    wanted: set[tuple[str, str]] = set()
    while todo:
        requirement, of_extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": of_extra}):
            continue
        name = canonicalize_name(requirement.name)
        found.add(name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in wanted:
                wanted.add((name, extra))
                todo += [(Requirement(text), extra) for text in distribution(name).requires or []]
    return found


@pytest.mark.parametrize("image", EXTRAS)
def test_all_that_an_image_needs_is_pinned_as_everywhere_and_has_its_hash(image: str) -> None:
    path = ROOT / "requirements" / f"{image}.txt"
    listed, everywhere = pins(path), pins(ROOT / "constraints.txt")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + [
        text for extra in EXTRAS[image] for text in project["optional-dependencies"][extra] if "offload[" not in text
    ]
    if image == "easyocr":
        declared += project["optional-dependencies"]["ocr"]
    missing = installed_for(declared) - set(listed)
    assert not missing, f"requirements/{image}.txt lacks {sorted(missing)}: run make lock"
    others = {name: version for name, version in listed.items() if everywhere.get(name, version) != version}
    assert not others, f"requirements/{image}.txt and constraints.txt differ in {others}: run make lock"
    bare = [block for block in re.split(r"\n(?=\S)", path.read_text().strip()) if "--hash=sha256:" not in block]
    assert not bare, f"without a hash: {bare}"


def test_the_images_install_only_by_hash() -> None:
    installs = re.findall(r"pip install (.+?)(?: && .*)?\n", (ROOT / "Dockerfile").read_text())
    assert installs
    for command in installs:
        assert "--no-deps" in command
        assert "--require-hashes" in command or command.endswith("--no-build-isolation -e .")
