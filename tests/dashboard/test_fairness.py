"""/admin/fairness and the owner's part of it."""

import csv
import io
from datetime import UTC, datetime

from dashboard.auth import User
from dashboard.fairness.views import queues_of
from service.lib.clock import now_ms
from service.monitoring.fairness import Charge
from settings.credentials import Role
from tests.dashboard.conftest import VIEWER, Client, act
from tests.dashboard.made import Maker, made_type

AMOUNTS = {
    Charge("globex", "acme", "pdf-ocr"): 38_000_000,
    Charge("globex", "acme", "probe-echo"): 3_000_000,
    Charge("globex", "globex", "pdf-ocr"): 2_000_000,
    Charge("globex", "", "paused"): 60_000_000,
    Charge("=cmd()", "globex", "pdf-ocr"): 1_000_000,
    Charge(None, None, "others"): 5_000_000,
    Charge(None, "", "seen"): 90_000_000,
    Charge(None, "", "unread"): 7_000_000,
}


async def today(made: Maker) -> str:
    """The day to which amounts were added."""
    at_ms = now_ms()
    await made.services.fairness.add("pdf-processing", at_ms, AMOUNTS)
    return f"day={datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()}"


async def test_sentences_say_who_cost_whom_how_much_and_the_columns_stand_by_owner(viewer: Client, made: Maker) -> None:
    day = await today(made)
    page = (await viewer.get(f"/admin/fairness?{day}")).text
    assert 'href="/admin/owners/acme">acme</a> cost <a href="/admin/owners/globex">globex</a>' in page
    assert "41.0 s" in page and 'href="/admin/jobs?owner=acme&amp;queue=pdf-processing&amp;type=pdf-ocr"' in page
    row = page.partition("By owner")[2].partition('href="/admin/owners/globex">')[2].partition("</tr>")[0]
    for label, amount in {
        "Waited": "1 min 43 s",
        "For others": "41.0 s",
        "Paused": "1 min",
        "Cost others": "1.0 s",
    }.items():
        assert f'data-label="{label}">{amount}</td>' in row.replace('"\n', '" '), label
    assert "Watched of this time: 1 min 30 s" in page and "For 7.0 s more jobs waited" in page
    other = (await viewer.get(f"/admin/fairness?{day}&queue=thumbnails")).text
    assert "No owner waited for another" in other
    assert "Not kept any more" in (await viewer.get("/admin/fairness?day=2020-01-01")).text


async def test_every_amount_is_in_the_csv(viewer: Client, made: Maker) -> None:
    answer = await viewer.get(f"/admin/fairness.csv?{await today(made)}")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert sum(float(row["seconds"]) for row in rows) == 109
    assert {row["waiter"] for row in rows} == {"globex", "'=cmd()", ""}
    apart = [(row["waiter"], row["holder"], row["reason"], row["seconds"]) for row in rows if row["reason"]]
    assert apart == [("globex", "", "paused", "60.000"), ("", "", "others", "5.000")]


async def test_an_owner_s_page_says_whom_it_waited_for_and_who_waited_for_it(viewer: Client, made: Maker) -> None:
    await today(made)
    page = (await viewer.get("/admin/owners/acme")).text
    part = page.partition('id="waits"')[2].partition("</section>")[0]
    assert "Others waited for it" in part and "41.0 s" in part and "cost <a" in part


async def test_what_is_no_day_hour_or_queue_is_named(viewer: Client) -> None:
    for path in ("/admin/fairness", "/admin/fairness.csv"):
        for query, sentence in {
            "day=soon": "is not a day",
            "hour=99": "is not an hour",
            "queue=none": "There is no queue",
        }.items():
            answer = await viewer.get(f"{path}?{query}")
            assert answer.status_code == 400 and sentence in answer.text, query


async def test_a_user_of_some_queues_sees_the_waits_in_these(made: Maker) -> None:
    user = User("ann", Role.OPERATOR, b"", queues=("thumbnails",))
    assert queues_of(user, made.services, "") == ["thumbnails"] == queues_of(user, made.services, "thumbnails")
    try:
        queues_of(user, made.services, "pdf-processing")
    except Exception as error:
        assert "sees the waits in thumbnails only" in str(error)
    else:
        raise AssertionError("it was shown")


async def test_weights_are_tried_out_on_recorded_jobs_and_then_set(operator: Client, made: Maker) -> None:
    await made.services.owners.set("acme", "free", {"queued_jobs": 7}, by="eva")
    job = await made.active(made_type("pdf-ocr"))
    await made.completed(job)
    day = datetime.fromtimestamp(now_ms() / 1000, UTC).date().isoformat()
    address = f"/admin/fairness/trial?queue={job.queue}&day={day}&weight:{job.owner}=2.5"
    page = (await operator.get(address)).text
    assert f'name="weight:{job.owner}"' in page
    assert "Jobs and parts replayed: 1." in page
    assert "Set these weights" in page
    seen = (await operator.get(address, auth=VIEWER)).text
    assert "Jobs and parts replayed: 1." in seen and 'action="/admin/fairness/weights"' not in seen
    answer = await act(operator, "/admin/fairness/weights", **{"weight:acme": "2.5"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/fairness/trial?notice=weights-saved")
    limits = await made.services.owners.limits("acme")
    assert (limits.plan, limits.values.weight, limits.values.queued_jobs) == ("free", 2.5, 7), "the others stay"
    audit = (await operator.get("/admin/audit?action=owner.limited")).text
    assert "weight=2.5" in audit and 'href="/admin/owners/acme"' in audit
    await made.services.owners.set("acme", None, {}, by="eva")


async def test_a_weight_that_is_none_is_named(operator: Client) -> None:
    for given in ("heavy", "0", "1e9", "nan"):
        answer = await operator.get("/admin/fairness/trial", params={"queue": "thumbnails", "weight:acme": given})
        assert answer.status_code == 400 and "The weight of acme is" in answer.text, given
        assert (await act(operator, "/admin/fairness/weights", **{"weight:acme": given})).status_code == 400
    assert "No weight is given" in (await act(operator, "/admin/fairness/weights")).text
    assert "No recorded jobs" in (await operator.get("/admin/fairness/trial?queue=thumbnails&day=2020-01-01")).text
