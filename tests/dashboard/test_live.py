"""Pages that keep themselves fresh: the part that changes can be fetched alone, as the viewer may see it."""

import pytest

from tests.dashboard.conftest import OPERATOR, VIEWER, Client

PAGES = {"/admin/alerts": "", "/admin/schedules": "", "/admin/metrics": "?period=hour"}


@pytest.mark.parametrize("page", PAGES)
async def test_the_part_that_changes_is_the_pages_own(anybody: Client, page: str) -> None:
    whole = (await anybody.get(page + PAGES[page], auth=OPERATOR)).text
    part = (await anybody.get(f"{page}/live{PAGES[page]}", auth=OPERATOR)).text
    begins = part[: part.index(">")].strip()
    assert begins in whole and f'hx-get="{page}/live{PAGES[page]}"' in begins
    assert "<html" in whole and "<html" not in part
    seen = (await anybody.get(f"{page}/live{PAGES[page]}", auth=VIEWER)).text
    assert begins in seen and "<form" not in seen
