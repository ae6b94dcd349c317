"""The pages about errors are there for everybody, and errors as they come lead to them."""

import re

import httpx
from markupsafe import escape

from service.api.error_guide import GUIDES, PATH


async def test_pages_need_no_key_and_list_every_code(anonymous: httpx.AsyncClient) -> None:
    index = await anonymous.get(PATH)
    assert index.status_code == 200 and index.headers["Content-Type"].startswith("text/html")
    assert re.findall(rf'href="{PATH}/(\d+)"', index.text) == [str(code) for code in GUIDES]
    for code, guide in GUIDES.items():
        page = await anonymous.get(f"{PATH}/{code}")
        assert page.status_code == 200 and guide.title in page.text
        assert "&#34;status_code&#34;: " + str(code) in page.text
        assert all(f'id="{cause.name}"' in page.text for cause in guide.causes)
    assert (await anonymous.get(f"{PATH}/418")).status_code == 404


async def test_an_error_links_to_its_page(anonymous: httpx.AsyncClient, acme: httpx.AsyncClient) -> None:
    for answer in (
        await anonymous.get("/api/jobs"),
        await acme.get("/api/jobs/csv-export-1"),
        await acme.get("/api/nowhere"),
        await acme.put("/api/jobs"),
        await acme.post("/api/jobs/csv-export", json={"dataset": "nothing"}),
    ):
        found = re.fullmatch(r'<([^#>]+)(?:#([\w-]+))?>; rel="help"', answer.headers["Link"])
        assert found and found[1] == f"{PATH}/{answer.status_code}", answer.text
        page = await anonymous.get(found[1])
        assert page.status_code == 200 and (not found[2] or f'id="{found[2]}"' in page.text)


async def test_the_pages_are_in_the_language_that_the_browser_asks_for(anonymous: httpx.AsyncClient) -> None:
    english = {guide.meaning for guide in GUIDES.values()} | {guide.advice for guide in GUIDES.values()}
    english |= {text for guide in GUIDES.values() for cause in guide.causes for text in (cause.meaning, cause.advice)}
    for path in (PATH, *(f"{PATH}/{code}" for code in GUIDES)):
        page = await anonymous.get(path, headers={"Accept-Language": "de"})
        assert '<html lang="de">' in page.text and page.headers["Content-Language"] == "de"
        assert "Accept-Language" in page.headers["Vary"], "a cache would give it to readers of English"
        left = [text for text in english if escape(text) in page.text]
        assert left == [] and "What a client does" not in page.text, path
    plain = await anonymous.get(PATH)
    assert '<html lang="en">' in plain.text and "Accept-Language" in plain.headers["Vary"]
