"""Amounts in words."""

import pytest

from service.lib.languages import in_language
from service.lib.sentences.recogniser import shown
from settings.amounts import counted
from settings.queues import Queue
from tasks.sdk.run import Run
from tasks.sdk.types import JobType, Payload


@pytest.mark.parametrize(
    ("count", "english", "german"),
    [(0, "0 rows", "0 Zeilen"), (1, "1 row", "1 Zeile"), (1200, "1,200 rows", "1.200 Zeilen")],
)
def test_a_number_has_its_noun_in_the_right_number(count: int, english: str, german: str) -> None:
    assert counted(count, "row") == english
    with in_language("de"):
        assert shown(counted(count, "row")) == german


async def _nothing(payload: Payload, run: Run) -> None: ...


def test_a_job_type_names_the_plural_of_its_unit() -> None:
    plain, named = (
        JobType("entries", Queue.CSV_EXPORT, Payload, _nothing, unit="entry", unit_plural=plural)
        for plural in ("", "entries")
    )
    assert [named.counted(count) for count in (1, 2)] == ["1 entry", "2 entries"]
    assert plain.counted(1) == "1 entry"
