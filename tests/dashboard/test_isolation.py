"""Each page and action of the route table as a stranger and as a viewer, over an installation full of personal values.

A route with a parameter that is not known below fails until something is planted for it, so that none is forgotten.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from httpx import AsyncClient, BasicAuth
from litestar import Litestar
from litestar.routes import HTTPRoute
from sqlalchemy import func, select

from dashboard.redaction import redacted
from service.database import AlertAddress, Document, Template, Webhook
from service.engine.job_requests import JobRequest, Step
from service.engine.terms import Terms
from service.monitoring.audit_log import AuditEntry, Target
from service.monitoring.owner_alerts import Wish
from settings import Queue
from tasks.sdk.types import Payload
from tests.dashboard.conftest import OPERATOR, VIEWER, Client
from tests.dashboard.documents import pictured, stored
from tests.dashboard.made import Maker, made_type
from tests.dashboard.test_log import logged
from tests.dashboard.test_previewed_people_and_pictures import campaign
from tests.dashboard.test_previews import exported
from tests.waiting import LIMIT_S

FILE = "passport-of-zaphod.png"
ADDRESS = "zaphod.beeblebrox@galaxy-mail.example"
SURNAME = "Beeblebrox-Vogonsky"
CONTENT = "Dear Mister Prefect-Dentarthur"
RECIPIENT = "user2@example.com"
CALLBACK = "a-secret-of-the-callback"
HOOK = "a-secret-of-the-webhook"
HOME = "203.0.113.77"
OPEN = {"/admin/sign-in", "/admin/sign-in/oidc", "/admin/sign-in/oidc/callback"}
"""Pages for who has not signed in."""

FOR_ALL = {
    "/admin/sign-out",
    "/admin/views",
    "/admin/preferences",
    *(f"/admin/views/none/{verb}" for verb in ("rename", "delete", "default")),
}
"""Actions that change nothing but the browser's own session, and views that are the user's own."""

PLANTED = (FILE, ADDRESS, SURNAME, CONTENT, RECIPIENT, CALLBACK, HOOK, HOME)
"""Values that tell of a person, or are an owner's secret."""


class Letter(Payload, omit_defaults=False):
    """A payload of which only the document's id is not personal."""

    file_id: str
    email: str = ADDRESS
    surname: str = SURNAME


@dataclass(frozen=True)
class Installation:
    """Ids by the names of parameters; several where there is more than one kind of page behind one address."""

    ids: dict[str, list[str]]

    def paths(self, app: Litestar, method: str) -> Iterator[str]:
        """Addresses of every page or action. KeyError for a parameter that nothing was planted for."""
        for route in app.routes:
            if not isinstance(route, HTTPRoute) or method not in route.methods:
                continue
            if not route.path_format.startswith("/admin") or route.path_format in OPEN:
                continue
            names = re.findall(r"\{(\w+)", route.path_format)
            for number in range(max([len(self.ids[name]) for name in names], default=1)):
                path = route.path_format
                for name in names:
                    path = path.replace(f"{{{name}}}", self.ids[name][min(number, len(self.ids[name]) - 1)])
                yield path


VERBS = {"is", "was", "has", "needs", "waits", "runs", "does", "as", "address"}
"""Words after a number that end in s, and are not nouns in the plural."""


def amounts_of_one(html: str) -> list[str]:
    """Such as "1 units" on a page."""
    text = re.sub(r"<(script|style|pre)\b.*?</\1>", "", html, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "|", re.sub(r"</?(?:strong|b|em|a)\b[^>]*>", "", text))
    found = re.finditer(r"(?<![\w.,:/-])1\s+([a-z]{2,}s)\b", text)
    return [one[0] for one in found if one[1] not in VERBS]


@pytest_asyncio.fixture(loop_scope="session")
async def installation(made: Maker) -> Installation:
    services, store = made.services, made.store
    document = await stored(made, FILE)
    await pictured(made, document)
    letter, read = Letter(document.file_id), made_type("pdf-ocr")
    failed = await made.active(read, payload=letter, terms=Terms(callback_url=f"https://8.8.8.8/{CALLBACK}"))
    trace = f"Traceback (most recent call last):\n  no box for {SURNAME} <{ADDRESS}> in {FILE}"
    await logged(made, failed.id, ("error", f"no box for {ADDRESS}", {"who": SURNAME, "file": FILE}))
    await made.failed(failed, f"no box for {SURNAME}, {ADDRESS}, in {FILE}", trace)
    done = await made.active(read, payload=letter)
    await made.completed(
        done, {"text.txt": (CONTENT.encode(), "text/plain")}, {"reader": CONTENT, "of": ADDRESS}, f"Read {FILE}"
    )
    running = await made.active(read, payload=letter)
    await made.progressed(running, 40, f"Reading {FILE} of {SURNAME}", last=CONTENT)
    retried = await made.active(read, payload=letter)
    await made.retrying(retried, f"{ADDRESS} does not answer", trace)
    export = await exported(made, "export.csv", f"id,email,plan\n1,{ADDRESS},free\n".encode())
    batch = await campaign(made, 3)
    pictures = await made.queued(made_type("thumbnails", Queue.THUMBNAILS), payload=letter)
    steps = [Step("read", JobRequest(read, letter), ())]
    await services.enqueuer.enqueue_workflow(
        steps, workflow_id="workflow-planted", owner="acme", goes_on=False, key="", fingerprint=""
    )
    webhook = await services.webhooks.rows.create("acme", f"https://8.8.8.8/{HOOK}", ["job.failed"])
    delivery = await services.webhooks.rows.add_trial(webhook)
    template = await made.mail_template("News")
    wish = Wish(ADDRESS, ["failed"], "en", 60, 30)
    address, _ = await services.owner_alerts.rows.put("acme", wish, {})
    worker = await made.worker()
    async with services.runtime.gate.use("planted", "job-planted"):
        pass
    entry = AuditEntry(
        actor="admin", role="operator", action="job.copied", target=Target("job", failed.id), owner="acme",
        detail=f"email={ADDRESS}", address=HOME,
    )  # fmt: skip
    await services.audit.record(entry)
    job = await store.present(failed.id)
    return Installation(
        {
            "job_id": [failed.id, done.id, running.id, retried.id, export, batch, pictures],
            "file_id": [document.file_id],
            "size": ["150"],
            "format": ["480p"],
            "number": ["1"],
            "name": ["log.txt", "text.txt", "text.txt", "text.txt", "export.csv", "report.json"],
            "fingerprint": [job.fingerprint or ""],
            "operation_id": ["operation-none"],
            "queue": [str(Queue.PDF_PROCESSING)],
            "address_id": [address.address_id],
            "template_id": [template],
            "workflow_id": ["workflow-planted"],
            "rule": ["queue-backlog"],
            "schedule": ["daily-digest"],
            "service": ["planted"],
            "webhook": [webhook.webhook_id],
            "delivery": [delivery.delivery_id],
            "worker_id": [worker],
            "type": ["csv-export"],
            "owner": ["acme"],
            "key": ["key-none"],
            "session": ["none"],
            "view_id": ["none"],
            "anything": ["nowhere"],
        }
    )


@pytest_asyncio.fixture(loop_scope="session")
async def signed_in(served: tuple[Litestar, str]) -> AsyncIterator[Any]:
    """Makes browsers of users."""
    clients: list[Client] = []

    def browser(auth: BasicAuth | None = None) -> Client:
        clients.append(AsyncClient(base_url=served[1], timeout=LIMIT_S, auth=auth))
        return clients[-1]

    yield browser
    for client in clients:
        await client.aclose()


async def state_of_things(made: Maker, installation: Installation) -> dict[str, Any]:
    """State that an action could have changed."""
    jobs = [await made.store.get(job_id) for job_id in installation.ids["job_id"]]
    async with made.services.database.reading() as session:
        rows = [
            await session.scalar(select(func.count()).select_from(table))
            for table in (Document, Template, Webhook, AlertAddress)
        ]
    return {
        "jobs": [job and (job.state, job.attempt) for job in jobs],
        "made": [len((await made.store.list(owner=owner, limit=99)).jobs) for owner in ("acme", "dashboard:viewer")],
        "rows": rows,
        "holds": [await made.store.controls.holds(queue) for queue in Queue],
        "operations": len(await made.store.operations.list()),
        "groups": [(group.fingerprint, group.life) for group in await made.store.error_groups.list(9)],
        "services": await made.services.runtime.gate.pauses.all(),
        "paused": [one.pause for one in await made.services.schedules.list()],
        "workers": [(worker.id, worker.quiet) for worker in await made.store.workers()],
    }


async def test_a_stranger_is_let_in_nowhere(
    served: tuple[Litestar, str], signed_in: Any, made: Maker, installation: Installation
) -> None:
    before, stranger = await state_of_things(made, installation), signed_in()
    for method in ("GET", "POST"):
        paths = list(installation.paths(served[0], method))
        assert len(paths) > 25
        for path in paths:
            answer = await stranger.request(method, path)
            assert answer.status_code == 401, (method, path)
    assert await state_of_things(made, installation) == before


async def test_a_viewer_changes_nothing(
    served: tuple[Litestar, str], signed_in: Any, made: Maker, installation: Installation
) -> None:
    before, viewer, operator = await state_of_things(made, installation), signed_in(VIEWER), signed_in(OPERATOR)
    found = re.search(r'name="csrf" value="([^"]+)"', (await operator.get("/admin/queues")).text)
    await viewer.get("/admin/queues")
    own = viewer.cookies["offload_csrf"]
    for path in installation.paths(served[0], "POST"):
        if path in FOR_ALL:
            continue
        for given in (own, found and found[1]):
            assert (await viewer.post(path, data={"csrf": given})).status_code == 403, path
    assert await state_of_things(made, installation) == before


async def test_a_viewer_meets_no_personal_value_on_any_page(
    served: tuple[Litestar, str], signed_in: Any, installation: Installation
) -> None:
    viewer, operator = signed_in(VIEWER), signed_in(OPERATOR)
    unseen, met, wrong = set(PLANTED), dict[str, list[str]](), dict[str, list[str]]()
    for path in installation.paths(served[0], "GET"):
        answer = await viewer.get(path)
        assert answer.status_code in (200, 204, 286, 302, 303, 307, 400, 403, 404), (path, answer.text)
        if found := [one for one in PLANTED if one in answer.text]:
            met[path] = found
        if answer.headers.get("content-type", "").startswith("text/html") and (found := amounts_of_one(answer.text)):
            wrong[path] = found
        if unseen:
            seen = (await operator.get(path)).text
            unseen -= {one for one in unseen if one in seen}
    assert met == {}
    assert wrong == {}, "one of a thing, with its noun in the plural"
    assert unseen == set(), "values that no page shows an operator were not planted well"


@pytest.mark.parametrize(
    "search", ["/admin/documents?name=", "/admin/jobs?file=", "/admin/operations/new?kind=retry&file="]
)
async def test_a_viewer_learns_of_no_name_by_searching_for_it(
    signed_in: Any, installation: Installation, search: str
) -> None:
    viewer, operator = signed_in(VIEWER), signed_in(OPERATOR)
    assert (await operator.get(search + FILE)).status_code == 200
    answers = {(await viewer.get(search + name)).status_code for name in (FILE, "no-such-name")}
    assert answers == {403}
    typed = await viewer.get("/admin/jobs", params={"q": FILE}, follow_redirects=True)
    assert "Nothing is called" in typed.text


def test_redaction_masks_text_and_shown_attributes_and_leaves_markup_alone() -> None:
    page = (
        '<p class="ada" title="Ada wrote"><a href="/admin/jobs?owner=eva%40x.example">eva@x.example</a> Ada, Adamant; '
        "&lt;Zoë &amp; Co&gt; &#34;Zo\\n1&#34;</p>"
    )
    assert redacted(page, {"Ada", "ada", "Zoë & Co", "Zo\n1"}, own="me@x.example") == (
        '<p class="ada" title="••• wrote"><a href="/admin/jobs?owner=•••">•••</a> •••, Adamant; '
        "&lt;•••&gt; &#34;•••&#34;</p>"
    )
    mine = '<b title="Signed in as me@x.example">me@x.example</b>'
    assert redacted(mine, (), own="me@x.example") == mine
