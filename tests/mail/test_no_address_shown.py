"""No page and no log shows a viewer an address or a name, although servers repeat them in their replies."""

import html
import re
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from dashboard.app import create_app
from service.database import Database
from settings import load_settings
from tasks.mail.addresses import MASK, masked
from tests.mail.campaigning import ended, make_template, report_of, submit
from tests.mail.conftest import Served, add_users, user
from tests.mail.servers import MailSink, serving

PERSONAL = re.compile(r"beeblebrox|zaphod|galaxy-mail", re.IGNORECASE)

REPLIES = (
    "550 5.1.1 <{}>: rejected",
    "550 user {local} unknown",
    "550-5.1.1 {}\r\n550 5.1.1 see RCPT TO:<{}>",
    "452 4.2.2 mailbox of {local} is full",
    "554 5.7.1 to={}",
)


@pytest.fixture
def app(settings_env: dict[str, str]) -> Litestar:
    """The pages too."""
    return create_app(load_settings())


@pytest.fixture
def database(served: Served) -> Database:
    return served.services.database


def email(number: int) -> str:
    return f"zaphod.beeblebrox{number}@galaxy-mail.example"


def refusal(address: str) -> str | None:
    number = int(re.search(r"(\d+)@", address)[1])  # type: ignore[index]  # every address here has one
    if number > len(REPLIES):
        return None
    reply = REPLIES[number - 1].format(address, address, local=address.partition("@")[0])
    return reply if reply[0] == "5" or refused.setdefault(address, True) else None


refused: dict[str, bool] = {}


def pages(served: Served, job_ids: list[str]) -> list[str]:
    """Every page of the dashboard that needs no id, and each of these jobs' pages."""
    found = []
    for route in served.app.routes:
        path = route.path_format
        if not path.startswith("/admin") or "GET" not in getattr(route, "methods", {"GET"}):
            continue
        if "{job_id}" in path:
            found += [path.replace("{job_id}", job_id) for job_id in job_ids]
        else:
            found.append(path.replace("{queue}", "email-sender"))
    return [path for path in found if "{" not in path]


async def test_a_viewer_sees_no_address_after_a_campaign_of_bounces(
    acme, served, database, start_worker, tmp_path: Path
) -> None:
    await add_users(database, *(user(n, email=email(n), name=f"Zaphod {n}") for n in range(1, 9)))
    refused.clear()
    async with serving(MailSink(at_recipient=refusal)) as sink:
        start_worker(OFFLOAD_SMTP_URL=sink.url, OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE="0")
        bad = await make_template(acme, text="{{ {'Ada Lovelace': 1}[user.name] }}")
        job_ids = [await submit(acme, segment="active", template_id=await make_template(acme)), ""]
        job_ids[1] = await submit(acme, segment="active", template_id=bad)
        await ended(acme, job_ids[1])
        refused.update(dict.fromkeys(map(email, range(1, 9)), False))
        await ended(acme, job_ids[0])
        rows = await report_of(acme, job_ids[0])
    assert {rows[n]["outcome"] for n in (1, 2, 3, 5)} == {"bounced"}, rows
    assert rows[1]["smtp_text"] == "5.1.1 <\u2022\u2022\u2022>: rejected"
    paths = pages(served, [*job_ids, f"{job_ids[0]}.1"])
    assert len(paths) > 20
    async with httpx.AsyncClient(base_url=served.url, auth=("viewer", "viewer-password-1"), timeout=60) as viewer:
        for path in paths:
            answer = await viewer.get(path)
            assert answer.status_code < 500, path
            shown = PERSONAL.search(html.unescape(answer.text))
            assert shown is None, f"{path} shows {shown}"
    log = (tmp_path / "EmailSender-0.log").read_text()
    assert '"code":550' in log and PERSONAL.search(log) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<ada@example.com>: no", "<M>: no"),
        ("to <ada%40example.com>", "to <M>"),
        ('"ada b"@example.com gone', "M gone"),
        ("ada@[127.0.0.1] gone", "M gone"),
        ("user Ada unknown, adamant", "user M unknown, adamant"),
        ("unknown user ada.", "unknown user M."),
        ("4.2.2 full", "4.2.2 full"),
    ],
)
def test_addresses_are_masked_in_whatever_form(text: str, shown: str) -> None:
    assert masked(text, "ada@example.com") == shown.replace("M", MASK)
