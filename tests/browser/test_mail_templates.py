"""A template of mail: written, tried on a recipient and removed in a browser, with scripts and without."""

import pytest
from playwright.async_api import Page, expect

from service.database import User
from service.mail.templates import TemplateRows
from tests.browser.conftest import Desk
from tests.dashboard.made import Maker

HTML = (
    "<style>p { color: rgb(200, 0, 0) }</style><p>Hi {{ user.name }}</p><script>document.title = 'ran'</script>"
    "<img src='/admin/queues' onerror='document.body.textContent = 1'>"
)


async def write(page: Page, **fields: str) -> None:
    for label, words in fields.items():
        await page.get_by_label(label, exact=True).fill(words)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_template_is_written_tried_and_deleted(desk: Desk, made: Maker, scripts: bool) -> None:
    async with made.services.database.writing() as session:
        values = {"email": "zoe@example.com", "active": True, "locale": "de", "plan": "free", "digest": False}
        await session.merge(User(id=7, name="Zoë <Z>", **values))
    page = await desk.open("/admin/templates", java_script_enabled=scripts)
    await page.get_by_role("link", name="New template").click()
    await write(page, Name="Letter", Subject="Hello {{ user.name }}", HTML="<p>\n{% if %}", Text="Hi {{ user.name }}")
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("alert")).to_contain_text("(html, line 2): Expected an expression")
    await expect(page.get_by_label("Subject")).to_have_value("Hello {{ user.name }}")
    desk.complaints.clear()  # the browser reports the 400 that was asked for
    await write(page, HTML=HTML)
    await page.get_by_role("button", name="Make it").click()
    await page.locator(".notice", has_text="is kept").wait_for()
    await page.get_by_label("User id").fill("7")
    await page.get_by_role("button", name="Preview").click()
    await page.get_by_text("Hello Zoë <Z>").wait_for()
    await _shows_the_message_and_runs_nothing(page)
    desk.complaints.clear()  # as it does the script and the picture that were not let in
    await page.get_by_role("button", name="Delete…").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.locator(".notice", has_text="Deleted.").wait_for()
    assert "Letter" not in [row.name for row in await TemplateRows(made.services.database).page(9)]


async def _shows_the_message_and_runs_nothing(page: Page) -> None:
    framed = page.frame_locator("iframe")
    await framed.get_by_text("Hi Zoë <Z>").wait_for()
    colour = await framed.locator("p").evaluate("one => getComputedStyle(one).color")
    assert colour == "rgb(200, 0, 0)"
    assert await framed.locator("p").evaluate("() => [document.title, self.origin]") == ["", "null"]
