"""The JavaScript client as browsers load it from here."""

import re

from dashboard.client_modules import FOLDER
from tests.dashboard.conftest import Client


async def test_pages_of_any_website_may_load_the_modules(anybody: Client) -> None:
    answer = await anybody.get("/static/client/offload-client.js")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*" and answer.headers["cache-control"] == "no-cache"
    again = await anybody.get("/static/client/offload-client.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_every_module_that_one_imports_is_served(anybody: Client) -> None:
    imported = {name for file in FOLDER.glob("*.js") for name in re.findall(r'from "\./(.+?)"', file.read_text())}
    assert "element.js" in imported
    for name in sorted(imported):
        assert (await anybody.get(f"/static/client/{name}")).status_code == 200, name


async def test_nothing_else_is_served(anybody: Client) -> None:
    for name in ("nothing.js", "..%2Ftokens.css", "%2e%2e", "offload-client.ts"):
        assert (await anybody.get(f"/static/client/{name}")).status_code == 404, name
