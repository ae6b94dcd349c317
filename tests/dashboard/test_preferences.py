"""Language and zone of a user: kept on the row or in cookies, and in every page and fragment."""

import re

import pytest
from httpx import BasicAuth

from dashboard.formats import decimal, duration, figures, in_zone, moment, number, rate, size
from dashboard.zones import use_zone
from service.lib.languages import in_language
from settings.credentials import Role
from tests.dashboard.conftest import Client, act
from tests.dashboard.made import Maker

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}
PASSWORD = "correct horse battery"


async def test_a_browser_that_asks_for_german_gets_it_and_the_page_says_so(operator: Client) -> None:
    english, german = await operator.get("/admin/queues"), await operator.get("/admin/queues", headers=GERMAN)
    assert '<html lang="en"' in english.text and ">Queues</a>" in english.text
    assert '<html lang="de"' in german.text and ">Warteschlangen</a>" in german.text


async def test_fragments_that_all_share_are_not_shared_across_languages_and_zones(operator: Client) -> None:
    shown = [
        (await operator.get("/admin/queues/live", headers={**headers, "cookie": f"offload_zone={zone}"})).text
        for headers in ({}, GERMAN, {})
        for zone in ("", "Asia/Tokyo")
    ]
    assert [("Waiting" in text, "Wartend" in text) for text in shown] == [
        (True, False), (True, False), (False, True), (False, True), (True, False), (True, False),
    ]  # fmt: skip


async def test_a_choice_is_kept_in_cookies_for_a_user_of_the_environment(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    answer = await act(operator, "/admin/preferences", language="de", zone="Asia/Tokyo")
    assert answer.status_code == 303
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert '<html lang="de" data-shown-zone="Asia/Tokyo">' in page
    assert re.search(r'title="\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d\.\d{3} JST">\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d JST<', page)
    # The machine's form stays UTC.
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"', page)
    await act(operator, "/admin/preferences", language="", zone="")
    assert '<html lang="en" data-shown-zone="">' in (await operator.get("/admin/queues")).text


async def test_a_choice_is_kept_on_the_row_of_a_user_of_the_database(anybody: Client, made: Maker) -> None:
    await made.services.users.add("eva", PASSWORD, Role.VIEWER, created_by="admin", personal=False)
    try:
        anybody.auth = BasicAuth("eva", PASSWORD)
        await anybody.get("/admin/preferences")
        fields = {"csrf": anybody.cookies["offload_csrf"], "language": "de", "zone": "Europe/Berlin"}
        assert (await anybody.post("/admin/preferences", data=fields)).status_code == 303
        anybody.cookies.clear()
        elsewhere = (await anybody.get("/admin/preferences")).text
        assert '<html lang="de" data-shown-zone="Europe/Berlin">' in elsewhere
        assert 'value="Europe/Berlin"' in elsewhere
    finally:
        await made.services.users.remove("eva")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"language": "de", "zone": "Mars/Olympus"},
            "There is no time zone Mars/Olympus: a name is like Europe/Berlin.",
        ),
        ({"language": "de", "zone": "../../etc/passwd"}, "There is no time zone ../../etc/passwd"),
        ({"language": "xx", "zone": ""}, "There is no language xx here: there are en, de."),
        ({"language": "de", "zone": "x" * 5000}, f"There is no time zone {'x' * 60}: "),
    ],
)
async def test_a_choice_that_does_not_exist_is_refused_in_one_sentence(
    operator: Client, fields: dict[str, str], sentence: str
) -> None:
    answer = await act(operator, "/admin/preferences", **fields)
    assert answer.status_code == 400 and sentence in answer.text
    assert '<html lang="en"' in (await operator.get("/admin/queues")).text


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "America", "%00", "x" * 3000])
async def test_a_zone_made_up_in_a_cookie_is_utc(operator: Client, zone: str) -> None:
    cookies = f"offload_zone={zone}; offload_browser_zone={zone}; offload_language={zone}"
    page = await operator.get("/admin/queues", headers={"cookie": cookies})
    assert page.status_code == 200
    assert "data-zone>UTC</a>" in page.text and 'data-shown-zone=""' in page.text


async def test_the_browsers_zone_holds_until_one_is_chosen(operator: Client) -> None:
    headers = {"cookie": "offload_browser_zone=America%2FNew_York"}
    page = (await operator.get("/admin/queues", headers=headers)).text
    assert "data-zone>America/New_York</a>" in page and 'data-shown-zone=""' in page


def test_numbers_sizes_and_times_are_written_as_the_language_writes_them() -> None:
    at_ms = 1_796_000_000_123

    def written() -> list[str]:
        return [number(1234567), decimal(1234.56), figures(0.5), size(1_500), duration(12_300), str(moment(at_ms))]

    use_zone("Europe/Berlin")
    english = written()
    with in_language("de"):
        german = written()
        assert ">So. 29.11.2026 00:00 Europe/Berlin<" in in_zone(1_795_906_800_000, "Europe/Berlin")
        assert rate(1200).startswith("1.200 ")
    use_zone("Mars/Olympus")
    assert "UTC" in moment(at_ms)
    assert english[:5] == ["1,234,567", "1,234.6", "0.5", "1.5 kB", "12.3 s"]
    assert german[:5] == ["1.234.567", "1.234,6", "0,5", "1,5 kB", "12,3 s"]
    same = '<time datetime="2026-11-30T00:53:20.123Z" '
    assert english[5] == f'{same}title="2026-11-30 01:53:20.123 CET">30 Nov 01:53:20 CET</time>'
    assert german[5] == f'{same}title="30.11.2026 01:53:20.123 CET">30.11.2026 01:53:20 CET</time>'
