"""Whom a campaign wrote to, and the pictures that a job has made, on its page."""

from pathlib import Path

import msgspec
from sqlalchemy import delete

from service.database import Campaign, Delivery
from service.documents.images import ImageRecords
from service.documents.thumbnails.store import ThumbnailStore
from settings import Queue
from tasks.images.photo import process_photo
from tasks.images.thumbnails import render_thumbnails
from tasks.images.variants import Variant
from tasks.sdk.types import Payload
from tests.dashboard.conftest import Client
from tests.dashboard.made import Anything, Maker, made_type
from tests.dashboard.test_previews import two_pages, uploaded


class Pictures(Payload, frozen=True, omit_defaults=False):
    document_ids: list[str]
    sizes: tuple[int, ...] = (150,)
    formats: tuple[str, ...] = ("webp",)


async def campaign(made: Maker, rows: int) -> str:
    """A campaign's job, with its deliveries."""
    job = await made.active(made_type("email-batch", Queue.EMAIL_SENDER))
    refused = "550 5.1.1 <user2@example.com>: no such user"
    async with made.services.database.writing() as session:
        for table in (Delivery, Campaign):
            await session.execute(delete(table))
        session.add(
            Campaign(
                campaign_id=job.id, owner="acme", template_id="t", name="n", subject="s", html="", text="",
                recipients=rows, to_send=rows,
            )
        )  # fmt: skip
        await session.flush()
        for n in range(1, rows + 1):
            bounced = n == 2
            session.add(
                Delivery(
                    campaign_id=job.id, position=n, user_id=7_000 + n, email=f"user{n}@example.com", address=f"user{n}",
                    status="bounced" if bounced else "sent", smtp_code=550 if bounced else 250,
                    smtp_text=refused if bounced else "2.0.0 Ok", message_id=f"<{n}@x>",
                )
            )  # fmt: skip
    return job.id


async def test_recipients_stand_with_outcome_and_code_a_page_at_a_time(operator: Client, made: Maker) -> None:
    job_id = await campaign(made, 60)
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert "user25@example.com" in page and "user26@example.com" not in page and "?after=25" in page
    last = (await operator.get(f"/admin/jobs/{job_id}?after=50")).text
    assert "user60@example.com" in last and "?after=60" not in last
    bounced = (await operator.get(f"/admin/jobs/{job_id}?outcome=bounced")).text
    assert bounced.count('id="recipient-') == 1 and "no such user" in bounced and "550" in bounced
    assert "No recipient" in (await operator.get(f"/admin/jobs/{job_id}?outcome=failed")).text


async def test_a_viewer_sees_no_address_even_in_what_a_server_said(viewer: Client, made: Maker) -> None:
    job_id = await campaign(made, 3)
    for path in (f"/admin/jobs/{job_id}", f"/admin/jobs/{job_id}/live?outcome=bounced"):
        page = (await viewer.get(path)).text
        assert "550" in page and "no such user" in page
        assert "example.com" not in page and "7002" not in page


async def test_thumbnails_are_shown_as_pictures_or_with_the_reason_why_not(
    operator: Client, made: Maker, scan: bytes, tmp_path: Path
) -> None:
    good, bad = await uploaded(made, scan, "good.png"), await uploaded(made, two_pages(), "bad.pdf")
    path = tmp_path / "scan.png"
    path.write_bytes(scan)
    document = await made.services.files.describe(good)
    await ThumbnailStore(made.services.storage).keep(document.sha256, render_thumbnails(path, [Variant(150, "webp")]))
    job = await made.active(made_type("thumbnails", Queue.THUMBNAILS), payload=Pictures(document_ids=[good, bad]))
    failed = [{"document_id": bad, "reason": "The PDF is encrypted."}]
    job_id = await made.completed(job, result={"failed_documents": failed})
    page = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert (
        'alt="Thumbnail of good.png"' in page and "The PDF is encrypted." in page and "Thumbnail of bad.pdf" not in page
    )
    picture = await operator.get(f"/admin/jobs/{job_id}/thumbnails/{good}")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/webp")
    assert (await operator.get(f"/admin/jobs/{job_id}/thumbnails/{bad}")).status_code == 404
    other = await uploaded(made, scan, "another job's.png")
    assert (await operator.get(f"/admin/jobs/{job_id}/thumbnails/{other}")).status_code == 404


async def test_a_photo_is_shown_with_its_cover(operator: Client, made: Maker, scan: bytes, tmp_path: Path) -> None:
    file_id = await uploaded(made, scan, "photo.png")
    path = tmp_path / "photo.png"
    path.write_bytes(scan)
    records = ImageRecords(made.services.database, made.services.storage)
    await records.processing(file_id, None)
    await records.ready(file_id, process_photo(path))
    job = await made.active(made_type("image-process", Queue.THUMBNAILS), payload=Anything(file_id=file_id))
    job_id = await made.completed(job, result=msgspec.to_builtins(process_photo(path).facts))
    assert 'alt="Cover of the photo"' in (await operator.get(f"/admin/jobs/{job_id}")).text
    for which in ("cover", "preview"):
        picture = await operator.get(f"/admin/jobs/{job_id}/{which}")
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/webp")
    assert (await operator.get(f"/admin/jobs/{await made.queued()}/cover")).status_code == 404
