"""/admin/usage: what owners have used, month by month."""

import csv
import io

from service.database import UsageEntry
from service.database.column_types import utc_now
from service.database.usage import month_name
from tests.dashboard.conftest import Client
from tests.dashboard.made import Maker


async def test_a_month_is_shown_for_all_owners_and_downloaded(viewer: Client, made: Maker) -> None:
    async with made.services.database.writing() as session:
        session.add(UsageEntry(owner="=cmd()", month="2021-03", field="cpu_ms", amount=90_000))
        session.add(UsageEntry(owner="acme", month="2021-03", field="pages_read", amount=1_234))
    page = (await viewer.get("/admin/usage?month=2021-03")).text
    assert 'href="/admin/owners/acme"' in page and "1,234" in page and "1 min 30 s" in page
    assert 'href="/admin/usage?month=2021-02"' in page and 'href="/admin/usage?month=2021-04"' in page
    answer = await viewer.get("/admin/usage.csv?month=2021-03")
    assert 'filename="usage-2021-03.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["owner"], row["cpu_seconds"]) for row in rows] == [("'=cmd()", "90.0"), ("acme", "0.0")]


async def test_a_month_without_use_says_so_and_what_is_none_is_refused(viewer: Client) -> None:
    assert "Nothing used" in (await viewer.get("/admin/usage?month=2020-01")).text
    assert "following" not in (await viewer.get("/admin/usage")).text
    for path in ("/admin/usage", "/admin/usage.csv"):
        answer = await viewer.get(f"{path}?month=soon")
        assert answer.status_code == 400 and "is not a month" in answer.text


async def test_an_owner_s_page_has_its_months(viewer: Client, made: Maker) -> None:
    month = month_name(utc_now())
    async with made.services.database.writing() as session:
        session.add(UsageEntry(owner="metered", month=month, field="mails", amount=4_321))
    page = (await viewer.get("/admin/owners/metered")).text
    assert "Use by month" in page and "4,321" in page and f'href="/admin/usage?month={month}"' in page
    assert 'href="/admin/usage"' in (await viewer.get("/admin/owners")).text
