"""A status link, mailed to the person who waits for the job."""

import re
from collections.abc import Callable

from tasks.mail_link import MailLink, mail_link
from tests.mail.campaigning import ended
from tests.mail.conftest import Served
from tests.mail.servers import MailSink, serving


async def test_the_link_reaches_its_recipient_once_and_opens_the_job(
    acme, served: Served, start_worker: Callable
) -> None:
    greylisted = {"kim@example.com": "451 4.7.1 later"}
    async with serving(MailSink(at_recipient=lambda one: greylisted.pop(one, None))) as sink:
        start_worker(
            OFFLOAD_SMTP_URL=sink.url,
            OFFLOAD_QUEUES__EMAIL_SENDER__RATE_PER_MINUTE="0",
            OFFLOAD_PUBLIC_URL="https://jobs.example.com",
        )
        payload = MailLink(
            recipient="kim@example.com",
            subject="Ihr Vertrag",
            text="Guten Tag,\nalles neu.\n",
            job_id="pdf-ocr-1",
            hours=2,
        )
        accepted = await served.services.enqueuer.enqueue(mail_link, payload, owner="acme", units=1)
        status = await ended(acme, accepted.job_id)
    assert status["data"]["sent"] == 1 and sink.by_recipient == {"kim@example.com": 1}
    (one,) = sink.caught
    assert one.message["Subject"] == "Ihr Vertrag" and list(one.message.iter_attachments()) == []
    body = one.message.get_body(("plain",))
    assert body is not None
    found = re.fullmatch(
        r"Guten Tag,\nalles neu\.\n\nhttps://jobs\.example\.com/j/(\S+)\n", body.get_content().replace("\r\n", "\n")
    )
    assert found and served.services.tickets.read(found[1].replace("%7E", "~")).job_id == "pdf-ocr-1"
