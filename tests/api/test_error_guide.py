"""Each error that the API may answer with has its page, and each answer leads there."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.api.error_guide import GUIDES, link_to_guide
from service.api.error_table import REASONED, explained, reason_of
from service.engine.store import TooManyQueued
from service.engine.store.errors import StoreError
from tasks.sdk.errors import Refused

ROOT = Path(__file__).resolve().parents[2]
OF_PAGES = {"no-such-rule", "no-such-view", "no-such-key", "key-ended"}
"""Kinds of errors that only the dashboard meets, which shows them as pages of its own."""


def raised() -> Iterator[tuple[int, str]]:
    """Every status code of an error that stands as a number in the sources of the API, and in the table."""
    for path in (path for room in ("service", "tasks") for path in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path.name in ("error_table.py", "openapi.py"):
            yield from numbers(tree, path)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[:1] if name in ("error_response", "refusals") else []
                for value in [*first, *(one.value for one in node.keywords if one.arg == "status_code")]:
                    yield from numbers(value, path)


def numbers(tree: ast.AST, path: Path) -> Iterator[tuple[int, str]]:
    """Those that are status codes of errors."""
    for leaf in ast.walk(tree):
        if isinstance(leaf, ast.Constant) and type(leaf.value) is int and 400 <= leaf.value < 600:
            yield leaf.value, f"{path.name}:{leaf.lineno}"


def test_each_code_that_is_raised_anywhere_has_its_page() -> None:
    found = list(raised())
    assert {409, 416, 422, 507} <= {code for code, _ in found}, "the sources are not read as they should be"
    assert [(code, where) for code, where in found if code not in GUIDES] == []
    # Litestar's own: no key, no right, no such method, and what each handler may end with.
    assert {401, 403, 405, 500} <= GUIDES.keys()


def test_each_kind_of_error_has_its_part_of_a_page() -> None:
    parts = {cause.name for guide in GUIDES.values() for cause in guide.causes}
    missing = {reason_of(kind) for kind in REASONED if kind is not StoreError} - parts - OF_PAGES
    assert missing == set()


@pytest.mark.parametrize("guide", GUIDES.values(), ids=lambda guide: str(guide.status_code))
def test_an_example_is_of_its_page(guide) -> None:
    assert guide.example.status_code == guide.status_code
    assert guide.example.detail.endswith(".") and guide.title and guide.retry.endswith(".")
    assert len({cause.name for cause in guide.causes}) == len(guide.causes)


@pytest.mark.parametrize(
    ("error", "link"),
    [
        (TooManyQueued(1, 30), "/docs/errors/429#over-limit"),
        (Refused("It is so", field="x"), "/docs/errors/400#refused"),
        (Refused("It is large", field="x", status_code=413), "/docs/errors/413"),
        (KeyError("secret"), "/docs/errors/500#broken"),
        (ConnectionRefusedError("secret-host"), "/docs/errors/503#outage"),
    ],
)
def test_an_error_leads_to_the_part_about_it(error: Exception, link: str) -> None:
    found = explained(error)
    assert link_to_guide(found.status_code, found.reason) == f'<{link}>; rel="help"'
