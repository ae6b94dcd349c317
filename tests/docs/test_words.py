"""Docstrings begin with a noun or a verb; plain words keep a stranger from having to decode them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PRODUCT = ("settings", "tasks", "service", "dashboard")

QUESTIONS = re.compile(r"(What|Who|Whom|Whose|Whoever|Where|How|Which|Why|Whether)\b")

QUESTIONS_MAX = 19
"""Aim of the plan: fewer than twenty in the whole product."""

OPENINGS = re.compile(r"Answers\b")


def docstrings(folder: str) -> Iterator[tuple[str, str]]:
    """(file:line, text) of every docstring, and of every line under a constant or a field."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            body = getattr(node, "body", None)
            for statement in body if isinstance(body, list) else []:
                value = statement.value if isinstance(statement, ast.Expr) else None
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield f"{path.relative_to(ROOT)}:{statement.lineno}", value.value.strip()


def test_few_docstrings_begin_with_a_question_word() -> None:
    found = [place for folder in PRODUCT for place, text in docstrings(folder) if QUESTIONS.match(text)]
    assert len(found) <= QUESTIONS_MAX, found


@pytest.mark.parametrize("folder", PRODUCT)
def test_a_return_value_is_returned_and_not_answered(folder: str) -> None:
    assert [place for place, text in docstrings(folder) if OPENINGS.search(text)] == []
