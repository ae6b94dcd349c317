"""What a campaign is refused for, before anything is queued."""

from datetime import UTC, datetime, timedelta

import pytest

from service.database import Database
from service.engine.states import State
from tests.mail.campaigning import make_template
from tests.mail.conftest import Served, add_users, user


@pytest.fixture
def database(served: Served) -> Database:
    return served.services.database


@pytest.mark.parametrize(
    ("body", "status_code", "field", "sentence"),
    [
        ({"segment": "active", "template_id": "template-none"}, 404, "template_id", "no template template-none"),
        ({"segment": "active"}, 400, "template_id", "template_id is required"),
        ({"segment": "everyone"}, 400, "segment", "active or all or digest or free or pro or enterprise"),
        ({}, 400, "user_ids", "either user_ids or a segment"),
        ({"segment": "active", "user_ids": [1]}, 400, "user_ids", "either user_ids or a segment"),
        ({"user_ids": []}, 400, "user_ids", "user_ids is empty"),
        ({"user_ids": list(range(100_001))}, 400, "user_ids", "100,001 ids; 100,000 are the limit"),
        ({"user_ids": ["one"]}, 400, "user_ids[]", "must be a whole number, not text"),
        ({"user_ids": [-1]}, 400, "user_ids", "-1 is not a user id"),
        ({"user_ids": [2**70]}, 400, "user_ids", ""),
        ({"user_ids": 5}, 400, "user_ids", "must be a list"),
        ({"segment": "active", "schedule_at": "tomorrow"}, 400, "schedule_at", "must be a date and time"),
        ({"segment": "active", "schedule_at": "2026-01-31T08:00:00"}, 400, "schedule_at", "with its time zone"),
        (
            {"segment": "active", "schedule_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()},
            400, "schedule_at", "in the past",
        ),
    ],
)  # fmt: skip
async def test_refused_with_the_field_and_a_sentence(served, acme, body, status_code, field, sentence) -> None:
    template_id = await make_template(acme)
    given = body if body.get("template_id") or field == "template_id" else body | {"template_id": template_id}
    answer = await acme.post("/api/jobs/email-batch", json=given)
    assert answer.status_code == status_code, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"].replace("[0]", "[]") == field and sentence in error["message"]
    counts = await served.services.store.counts()
    assert not any(counts.get("email-sender", {}).values()), "nothing was queued"


@pytest.mark.scale
async def test_a_hundred_thousand_ids_are_taken_and_duplicates_counted_once(served, acme, database) -> None:
    await add_users(database, user(1))
    body = {"user_ids": [*range(1, 60_001), *range(1, 40_001)], "template_id": await make_template(acme)}
    answer = await acme.post("/api/jobs/email-batch", json=body)
    assert answer.status_code == 202, answer.text
    job = await served.services.store.present(answer.json()["job_id"])
    assert (job.units, job.state) == (60_000, State.QUEUED)


async def test_a_duplicate_request_is_one_campaign(acme, database) -> None:
    await add_users(database, user(1))
    body = {"segment": "active", "template_id": await make_template(acme)}
    answers = [await acme.post("/api/jobs/email-batch", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].json()["job_id"] == answers[1].json()["job_id"]
