"""`offload new package NAME`: a small package of job types, to begin with."""

import importlib.util
import keyword
import re
from pathlib import Path

import click
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from settings.queues import NAME, NAME_MAX, Queue
from tasks.sdk.version import API_VERSION

TEMPLATES = Path(__file__).parent / "package_template"


@click.group()
def new() -> None:
    """Write the beginnings of something."""


@new.command()
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder in which the package's own folder is made; by default the present one.",
)
def package(name: str, into: Path) -> None:
    """Write a package of job types: a job on a queue of its own, its tests, a Dockerfile on ours.

    Example: offload new package acme-reports
    """
    if problem := problem_of(name):
        raise click.ClickException(problem)
    folder = into / name
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise click.ClickException(f"{folder} exists already.")
    for path, text in files_of(name).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    click.echo(f"Written to {folder}. Next: pip install -e {folder}, then pytest {folder}")


def problem_of(name: str) -> str | None:
    """A sentence that says why a package cannot bear a name; None where it can."""
    module = name.replace("-", "_")
    if not NAME.fullmatch(name) or len(name) > NAME_MAX:
        return f"{name[:80]} is not a name for a package: small letters, digits and dashes, {NAME_MAX} at most."
    if name in list(Queue):
        return f"{name} is the name of a queue, and the package brings one of its own name: choose another."
    if keyword.iskeyword(module) or importlib.util.find_spec(module) is not None:
        return f"There is a module {module} already: choose another name."
    return None


def files_of(name: str) -> dict[str, str]:
    """The package's files by their paths."""
    module = name.replace("-", "_")
    words = {
        "name": name,
        "module": module,
        "function": f"{module}_count",
        "job": f"{name}-count",
        "payload": "".join(word.capitalize() for word in re.split("-", name)) + "Text",
        "worker": "".join(word.capitalize() for word in name.split("-")),
        "sdk": ".".join(map(str, API_VERSION)),
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    paths = {
        "pyproject.toml": "pyproject.toml.jinja",
        f"src/{module}/__init__.py": "module.py.jinja",
        f"tests/test_{module}.py": "test_module.py.jinja",
        "Dockerfile": "Dockerfile.jinja",
        "README.md": "README.md.jinja",
    }
    return {path: environment.get_template(template).render(words) for path, template in paths.items()}
