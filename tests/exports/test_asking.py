"""What may be asked for, and the sentences that answer what may not."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.csv_export import Export, chosen
from tasks.exports.conditions import AnyOf, AtLeast, Below, Contains
from tasks.exports.datasets import DATASETS
from tasks.exports.query import to_query
from tasks.exports.selection import select
from tasks.exports.text_search import any_case
from tasks.sdk.errors import Refused

RANGE = "query_params.created_at"
SENTENCES: list[tuple[dict[str, Any], str, str]] = [
    (
        {"dataset": "nothing"},
        "dataset",
        f"There is no dataset 'nothing': there are {', '.join(DATASETS)}.",
    ),
    (
        {"query_params": {"colour": "red"}},
        "query_params.colour",
        "events has no filter 'colour': there are created_at, actor, role, action, target_type, target_id, outcome, "
        "took_ms, search.",
    ),
    (
        {"columns": ["owner", "password"]},
        "columns",
        "events has no column 'password': there are event_id, created_at, owner, actor, role, action, target_type, "
        "target_id, outcome, address, took_ms, detail.",
    ),
    ({"columns": []}, "columns", "columns names none: leave it out for all of them."),
    ({"columns": ["owner", "owner"]}, "columns", "columns names a column twice."),
    (
        {"query_params": {"outcome": "splendid"}},
        "query_params.outcome",
        "The filter outcome wants one of done, refused, failed, not 'splendid'.",
    ),
    ({"query_params": {"actor": 7}}, "query_params.actor", "The filter actor wants text, not 7."),
    (
        {"query_params": {"actor": "a\0b"}},
        "query_params.actor",
        "The filter actor holds a NUL character, which no stored text does.",
    ),
    (
        {"query_params": {"actor": []}},
        "query_params.actor",
        "The filter actor wants a value or a list of 1 to 1,000 values, not 0.",
    ),
    (
        {"query_params": {"took_ms": {"from": "1"}}},
        "query_params.took_ms",
        "The filter took_ms wants a number, not '1'.",
    ),
    (
        {"query_params": {"took_ms": {"from": 2, "to": 1}}},
        "query_params.took_ms",
        "The filter took_ms ends (1) before it starts (2).",
    ),
    (
        {"query_params": {"created_at": {"from": "2026-02-01", "to": "2026-01-31"}}},
        RANGE,
        "The filter created_at ends ('2026-01-31') before it starts ('2026-02-01').",
    ),
    (
        {"query_params": {"created_at": {"from": "yesterday"}}},
        RANGE,
        "The filter created_at wants a day (2026-01-31) or a time (2026-01-31T08:00:00Z), not 'yesterday'.",
    ),
    (
        {"query_params": {"created_at": {"from": "2026-01-31T08:00:00"}}},
        RANGE,
        "The filter created_at wants a time zone with its time, such as 2026-01-31T08:00:00Z, "
        "not '2026-01-31T08:00:00'.",
    ),
    (
        {"query_params": {"created_at": "2026-01-31"}},
        RANGE,
        'The filter created_at wants {"from": …, "to": …} or one of the two.',
    ),
    (
        {"query_params": {"created_at": {"since": 1}}},
        RANGE,
        'The filter created_at wants {"from": …, "to": …} or one of the two.',
    ),
    (
        {"query_params": {"created_at": {"from": "2026-01-31T08:00:00Z", "to": "2026-01-31T08:00:00Z"}}},
        RANGE,
        "The filter created_at ends ('2026-01-31T08:00:00Z') where it starts ('2026-01-31T08:00:00Z').",
    ),
    (
        {"dataset": "documents", "query_params": {"pages": {"from": 2, "to": 1}}},
        "query_params.pages",
        "The filter pages ends (1) before it starts (2).",
    ),
    ({"query_params": {"search": ""}}, "query_params.search", "The filter search wants 1 to 200 characters of text."),
    (
        {"dataset": "users", "query_params": {"active": 1}},
        "query_params.active",
        "The filter active wants true or false, not 1.",
    ),
    (
        {"dataset": "users", "query_params": {"id": True}},
        "query_params.id",
        "The filter id wants a whole number, not True.",
    ),
    (
        {"dataset": "users", "query_params": {"id": 2**63}},
        "query_params.id",
        "The filter id wants a whole number, not 9223372036854775808.",
    ),
    ({"format": "xlsx", "gzip": True}, "gzip", "gzip goes with the format csv, not with xlsx."),
    ({"format": "xlsx", "bom": True}, "bom", "bom goes with the format csv, not with xlsx."),
]


@pytest.mark.parametrize(
    ("requested", "field", "sentence"), SENTENCES, ids=[f"{field}-{n}" for n, (_, field, _) in enumerate(SENTENCES)]
)
def test_what_cannot_be_is_refused_in_a_sentence(requested: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        chosen(Export(**({"dataset": "events"} | requested)), "acme")
    assert (str(refused.value), refused.value.field, refused.value.status_code) == (sentence, field, 400)


def test_the_datasets_are_these_at_least() -> None:
    assert {"deliveries", "documents", "events", "jobs", "metrics", "users"} <= set(DATASETS)


def test_a_range_of_days_includes_its_last_day() -> None:
    found = select("events", {"created_at": {"from": "2026-01-01", "to": "2026-01-31"}}, None, "acme")
    assert found.conditions[:2] == (
        AtLeast("created_at", datetime(2026, 1, 1, tzinfo=UTC)),
        Below("created_at", datetime(2026, 2, 1, tzinfo=UTC)),
    )


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    found = select("events", {"created_at": {"to": "2026-01-31T01:00:00+02:00"}}, None, "acme")
    assert found.conditions[0] == Below("created_at", datetime(2026, 1, 30, 23, tzinfo=UTC))


def test_an_owner_reads_its_own_rows_and_the_installation_reads_all() -> None:
    assert select("events", {}, None, "acme").conditions == (AnyOf("owner", ("acme",)),)
    assert select("deliveries", {}, None, "acme").conditions == (AnyOf("campaigns.owner", ("acme",)),)
    assert select("events", {}, None, "dashboard:admin").conditions == ()
    assert select("users", {}, None, "acme").conditions == ()


def test_no_value_becomes_part_of_a_statement() -> None:
    nasty = "x'); DROP TABLE events; --"
    for postgres in (False, True):
        query = to_query(select("events", {"actor": nasty, "search": nasty}, None, nasty), postgres=postgres)
        assert "DROP" not in query.rows + query.count
        assert query.parameters.count(nasty) == 2 and any_case(nasty) in query.parameters


def test_a_search_takes_the_wildcards_of_like_literally() -> None:
    found = select("users", {"search": "100%_\\"}, None, "acme")
    assert found.conditions == (Contains(("email", "name"), "100%_\\"),)
    assert re.fullmatch(to_query(found, postgres=False).parameters[0], "100%_\\")


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
def test_a_declaration_is_sound(dataset: Any) -> None:
    assert len(dataset.title) <= 25
    names = [column.name for column in dataset.columns]
    assert len(set(names)) == len(names)
    assert dataset.order and dataset.filters
