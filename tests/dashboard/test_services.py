"""External services with their use and their bounds."""

from tests.dashboard.conftest import Client
from tests.dashboard.made import Maker


async def test_services_stand_with_their_use(viewer: Client, made: Maker) -> None:
    async with made.services.runtime.gate.use("sales-crm", "job-1"):
        page = (await viewer.get("/admin/services")).text
    row = page.partition("sales-crm</th>")[2].partition("</tr>")[0]
    assert ">1 " in row and row.count("unlimited") == 2
    mail = page.partition("smtp</th>")[2].partition("</tr>")[0]
    assert "of 100" in mail and 'aria-current="page">Services' in page
    assert (await viewer.get("/admin/services/live")).status_code == 200
