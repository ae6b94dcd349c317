"""Every page: loads without a complaint, fits a phone, can be read by everybody, in both themes."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from pypdfium2 import PdfDocument

from dashboard.routes import dashboard_routes
from service.documents.thumbnails.store import ThumbnailStore
from service.engine.job_requests import JobRequest, Step
from service.engine.store.bulk_operations import Selection
from service.lib.clock import now_ms
from service.monitoring.audit_log import AuditEntry, Target
from service.webhooks.events import EVENTS
from service.webhooks.sender import Answer
from settings import Queue
from tests.browser.conftest import DESK, OPERATOR, PHONE, VIEWER, WALL, Desk
from tests.browser.keyboard import by_keyboard
from tests.dashboard.documents import picture, pictured, stored
from tests.dashboard.made import Anything, Maker, made_type
from tests.documents.corrections.made_reading import made_reading, read_page, uploaded

TWICE = {"width": 700, "height": 450}
"""A window of 1,400 pixels at 200 %."""

PAGES = [
    "views",
    "doubtful",
    "usage",
    "alerts/new",
    "alerts/rules/evictions",
    "runbook",
    "jobs/language",
    "jobs/new?type=pdf-ocr",
    "owners/acme",
    "templates/new",
    "queues",
    "queues/csv-export",
    "queues/thumbnails",
    "queues?at=1h",
    "jobs",
    "jobs?status=failed",
    "jobs/new",
    "jobs/new?type=csv-export",
    "job running",
    "job waiting",
    "job failed",
    "job completed",
    "documents",
    "document",
    "operations",
    "operations/new?kind=retry&status=failed",
    "operation",
    "workers",
    "schedules",
    "webhooks",
    "templates",
    "template",
    "template edit",
    "errors",
    "error",
    "alerts",
    "metrics",
    "metrics/weeks",
    "storage",
    "audit",
    "owners",
    "keys",
    "users",
    "services",
    "capsule",
    "sign-in",
    "job edit",
    "job log",
    "job status-link",
    "document page",
    "workflow",
    "fairness",
    "fairness/trial",
    "preferences",
    "capsule/file",
    "nowhere",
]

PATHS = {
    "/admin/jobs/{job_id:str}": "job running",
    "/admin/jobs/{job_id:str}/edit": "job edit",
    "/admin/jobs/{job_id:str}/log": "job log",
    "/admin/jobs/{job_id:str}/status-link": "job status-link",
    "/admin/queues/{queue:str}": "queues/csv-export",
    "/admin/operations/{operation_id:str}": "operation",
    "/admin/templates/{template_id:str}": "template",
    "/admin/templates/{template_id:str}/edit": "template edit",
    "/admin/documents/{file_id:str}": "document",
    "/admin/documents/{file_id:str}/pages/{number:int}": "document page",
    "/admin/errors/{fingerprint:str}": "error",
    "/admin/alerts/rules/{rule:str}": "alerts/rules/evictions",
    "/admin/owners/{owner:path}": "owners/acme",
    "/admin/workflows/{workflow_id:str}": "workflow",
    "/admin/{anything:path}": "nowhere",
}
"""Pages of which the address names something."""

NO_PAGES = re.compile(
    r"/admin|.*/(live|count|palette|next|oidc|callback|picture|cover|preview|content|message|payload|result)|.*\.csv"
    r"|.*/(files|thumbnails|videos)/\{\w+:\w+\}"
)
"""Parts of pages, redirections, files and pictures."""

STANDARDS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


async def furnish(made: Maker) -> dict[str, str]:
    """Something of everything, with long words. Answers the addresses of three jobs."""
    await made.worker(Queue.PDF_PROCESSING)
    await made.worker(Queue.THUMBNAILS, id="thumbnails:host:9", silent_ms=60_000)
    export = made_type("csv-export", Queue.CSV_EXPORT)
    await made.retrying(await made.active(export))
    await made.store.cancel(await made.queued())
    files = {"text.txt": (b"Some text\n" * 50, "text/plain"), "pages.json": (b"{}", "application/json")}
    completed = await made.completed(await made.active(), files, result={"pages": 1, "words": "x" * 300})
    failed = await made.failed(
        await made.active(payload=Anything(file_id="file-" + "a" * 300)), error="a" * 400, traceback="File " + "b" * 400
    )
    running = await made.active(units=200)
    await made.progressed(running, 67, "Processing page 134 of 200 (67%)", pages_processed=134, total_pages=200)
    await made.store.controls.set("thumbnails", "pause", reason="the disk is full " + "c" * 200, by="ada")
    until_ms = now_ms() + 3_600_000
    await made.services.alerts.mute("queue-backlog", reason="a big import " + "d" * 200, by="ada", until_ms=until_ms)
    await made.services.schedules.pause("daily-digest", reason="holidays", by="ada")
    await made.services.audit.record(
        AuditEntry(
            actor="ada",
            role="operator",
            action="queue.steered",
            target=Target("queue", "thumbnails"),
            owner="ada",
            detail="e" * 300,
        )
    )
    await furnish_webhooks(made)
    operation = await made.store.operations.begin("delete", Selection(ids=("a",)), words="1 chosen job", by="ada")
    template = await made.mail_template("News of May " + "f" * 240)
    (group,) = await made.store.error_groups.list()
    return {
        "document": await furnish_documents(made),
        "template": f"templates/{template}",
        "template edit": f"templates/{template}/edit",
        "job running": f"jobs/{running.id}",
        "job edit": f"jobs/{failed}/edit",
        "job log": f"jobs/{failed}/log",
        "job status-link": f"jobs/{completed}/status-link",
        "job waiting": f"jobs/{await made.queued()}",
        "job failed": f"jobs/{failed}",
        "job completed": f"jobs/{completed}",
        "operation": f"operations/{operation.id}",
        "error": f"errors/{group.fingerprint}",
    }


async def furnish_webhooks(made: Maker) -> None:
    """A webhook that was disabled, with a delivery that failed."""
    rows = made.services.webhooks.rows
    for one in await rows.list():
        await rows.delete(one.webhook_id)
    webhook = await rows.create("acme", "https://8.8.8.8/" + "j" * 300, EVENTS)
    delivery = await rows.add_trial(webhook)
    answer = Answer(410, "It answered 410: " + "k" * 300)
    await made.services.webhooks.deliveries._record(delivery.delivery_id, answer)


async def furnish_reading(made: Maker) -> str:
    """A page that was read doubtfully. Returns its address."""
    document = await uploaded(made.services, name="l" * 180 + ".pdf")
    await made_reading(
        made.services, document, read_page("the harbuor ledger", "of nineteen " + "m" * 90, doubtful="harbuor")
    )
    return f"documents/{document.file_id}/pages/1"


async def furnish_workflow(made: Maker) -> str:
    """Two steps, of which the second waits for the first. Returns its address."""
    first = Step("read", JobRequest(made_type(), Anything()), ())
    second = Step("n" * 60, JobRequest(made_type("csv-export", Queue.CSV_EXPORT), Anything()), ("read",))
    await made.services.enqueuer.enqueue_workflow(
        [first, second], workflow_id="workflow-" + "o" * 60, owner="acme", goes_on=False, key="", fingerprint=""
    )
    return "workflows/workflow-" + "o" * 60


ALONE = {"document page": furnish_reading, "workflow": furnish_workflow}
"""What is made for these pages only."""


async def furnish_documents(made: Maker) -> str:
    """One with its picture, one that has none yet, and one that can have none. Answers the address of the first."""
    store = ThumbnailStore(made.services.storage)
    await store.give_up(
        (await stored(made, "h" * 180 + ".png", data=picture("red"))).sha256, "It is damaged. " + "i" * 200
    )
    await stored(made, "a scan without a picture.png", data=picture("blue"))
    there = await stored(made, "a scan with a picture.png")
    await pictured(made, there)
    return f"documents/{there.file_id}"


def test_no_page_of_the_route_table_is_left_out() -> None:
    """A page that is added must be named above: it is then looked at with data of its own."""
    shown = {f"/admin/{name.partition('?')[0]}" for name in PAGES} | {
        path for path, name in PATHS.items() if name in PAGES
    }
    paths = {route.path for router in dashboard_routes()[1:] for route in router.routes if "GET" in route.methods}
    assert len(paths) > 60
    assert {path for path in paths if not NO_PAGES.fullmatch(path)} - shown == set()


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_can_be_read_by_everybody(desk: Desk, made: Maker, name: str) -> None:
    addresses = {name: await ALONE[name](made)} if name in ALONE else await furnish(made)
    user = None if name == "sign-in" else OPERATOR
    # A capsule comes as a download.
    path = "capsule" if name == "capsule/file" else addresses.get(name, name)
    page = await desk.open(f"/admin/{path}", user=user, reduced_motion="reduce")
    if name == "capsule/file":
        capsule = await (await page.request.get("/admin/capsule/file")).text()
        await page.goto("about:blank")  # the policy of our pages allows no styles within them
        await page.set_content(capsule)
    if name == "nowhere":
        desk.complaints.clear()  # the browser reports the 404 that was asked for
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        found = await Axe().run(page, options=STANDARDS)
        assert found.response["violations"] == [], f"{theme}: {found.generate_report()}"
    for viewport in (PHONE, TWICE, WALL, DESK):
        await page.set_viewport_size(viewport)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"it scrolls sideways at {viewport['width']} pixels"
    # Refreshes would come between two presses of a key.
    await page.evaluate("document.querySelectorAll('[data-live]').forEach(one => one.removeAttribute('hx-trigger'))")
    assert await by_keyboard(page) == []


async def test_a_viewer_finds_no_button_that_would_be_refused(desk: Desk, made: Maker) -> None:
    addresses = await furnish(made)
    for name in (
        "queues",
        "queues/csv-export",
        addresses["error"],
        addresses["job failed"],
        "documents",
        addresses["document"],
    ):
        page = await desk.open(f"/admin/{name}", user=VIEWER)
        assert await page.locator("form[method=post]").count() == 0


async def test_times_are_the_viewers_own_and_exact_on_hover(desk: Desk, made: Maker) -> None:
    job_id = await made.queued()
    created_ms = (await made.store.present(job_id)).created_ms
    page = await desk.open(f"/admin/jobs/{job_id}", timezone_id="Asia/Kolkata")
    time = page.locator("main time").first
    expected = await page.evaluate("at => new Date(at).toTimeString().slice(0, 8)", created_ms)
    assert await time.text_content() == expected
    assert "UTC+05:30" in (await time.get_attribute("title") or "")
    assert await page.locator("[data-zone]").text_content() == "Asia/Calcutta"


async def test_a_hostile_name_runs_nothing(desk: Desk, made: Maker) -> None:
    evil = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
    job_id = await made.failed(await made.active(payload=Anything(file_id=evil)), error=evil, traceback=evil)
    page = await desk.open(f"/admin/jobs/{job_id}")
    assert evil in (await page.locator("pre").first.text_content() or "") or evil in await page.inner_text("main")
    assert await page.title() == f"{job_id} · Offload"


async def test_on_paper_a_page_is_its_content_alone_on_white(desk: Desk, made: Maker) -> None:
    page = await desk.open("/admin/metrics/weeks")
    await page.emulate_media(media="print", color_scheme="dark")
    assert not await page.locator(".topbar").is_visible() and not await page.locator(".tabs").is_visible()
    assert await page.get_by_role("heading", name="Weekly report").is_visible()
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    with PdfDocument(await page.pdf(format="A4")) as printed:
        height = printed[0].get_height()
        text = printed[0].get_textpage()
        left, _, _, top = text.get_charbox(0)
        words = text.get_text_range()
    assert min(left, height - top) > 36, "the paper has margins"
    assert words.startswith("Weekly report") and "admin" not in words, "no navigation, and no name of who printed it"
