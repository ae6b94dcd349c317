"""A photo uploaded as in any app: answered at once, processed behind it, shown by its record."""

import io

from PIL import Image

from tasks.images.photo import process_photo
from tasks.ports.images import Images
from tests.documents.images.pictures import exif, likeness_db, pdf_with, saved, scene, turned, written
from tests.waiting import wait_until_async

SCENE = scene(1600, 1200)
TAGS = exif(orientation=6, taken="2026:05:01 18:30:05", place=True)
PHOTO = saved(turned(6)(SCENE), "JPEG", quality=92, exif=TAGS)


async def sent(client, data: bytes, name: str = "photo.jpg") -> dict:
    answer = await client.post("/api/images", files={"file": (name, data)})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def test_from_the_upload_to_the_cover(acme, globex, served, start_worker) -> None:
    image = await sent(acme, PHOTO)
    url = f"/api/images/{image['image_id']}"
    assert (image["status"], image["width"], image["cover_url"]) == ("processing", None, None)
    early = await acme.get(f"{url}/cover")
    assert early.status_code == 202 and early.json()["status"] == "processing"
    assert (await acme.get(image["status_url"])).json()["status"] == "queued"
    start_worker()

    async def ready() -> bool:
        return (await acme.get(url)).json()["status"] == "ready"

    await wait_until_async(ready)
    record = (await acme.get(url)).json()
    facts = {name: record[name] for name in ("width", "height", "format", "taken_at", "orientation", "error")}
    assert facts == {
        "width": 1600, "height": 1200, "format": "jpeg", "taken_at": "2026-05-01T18:30:05", "orientation": 6,
        "error": None,
    }  # fmt: skip
    for which, size in (("cover", (200, 200)), ("preview", (800, 600))):
        answer = await acme.get(record[f"{which}_url"])
        assert answer.headers["content-type"] == "image/webp" and "max-age=3600" in answer.headers["cache-control"]
        picture = Image.open(io.BytesIO(answer.content))
        assert picture.size == size and not picture.getexif()
        whole = SCENE if which == "preview" else SCENE.crop((200, 0, 1400, 1200))
        assert likeness_db(picture, whole.resize(size)) > 25
        unchanged = await acme.get(record[f"{which}_url"], headers={"If-None-Match": answer.headers["etag"]})
        assert unchanged.status_code == 304
    assert (await globex.get(url)).status_code == 404
    assert (await acme.delete(f"/api/files/{image['image_id']}")).status_code == 204
    assert (await acme.get(url)).status_code == 404
    assert await served.services.storage.list("documents") == []


async def test_what_is_no_photo_and_what_is_a_bad_one(acme, served, start_worker) -> None:
    refused = await acme.post("/api/images", files={"file": ("scene.pdf", pdf_with(SCENE.resize((90, 60)), (90, 60)))})
    assert (refused.status_code, refused.json()["detail"]) == (415, "scene.pdf is not an image.")
    assert await served.services.storage.list("documents") == []
    bad = await sent(acme, PHOTO[:9000])
    called_off = await sent(acme, PHOTO)
    await acme.post(f"/api/jobs/{called_off['job_id']}/cancel")
    start_worker()

    async def failed() -> bool:
        return (await acme.get(f"/api/images/{bad['image_id']}")).json()["status"] == "failed"

    await wait_until_async(failed)
    record = (await acme.get(f"/api/images/{bad['image_id']}")).json()
    assert record["error"] == "The picture is damaged or cut short." and record["cover_url"] is None
    cover = await acme.get(f"/api/images/{bad['image_id']}/cover")
    assert cover.status_code == 422 and cover.json()["detail"].startswith("photo.jpg has no cover.")
    record = (await acme.get(f"/api/images/{called_off['image_id']}")).json()
    assert (record["status"], record["error"]) == ("failed", "Its processing was cancelled.")
    plain = (await acme.post("/api/files", files={"file": ("photo.jpg", PHOTO)})).json()["file_id"]
    assert (await acme.get(f"/api/images/{plain}")).status_code == 404
    assert (await acme.post("/api/jobs/image-process", json={"file_id": plain})).status_code == 202


async def test_pictures_of_a_photo_deleted_meanwhile_are_not_kept(acme, served, tmp_path) -> None:
    image = await sent(acme, PHOTO)
    photo = process_photo(written(tmp_path, PHOTO))
    await acme.delete(f"/api/files/{image['image_id']}")
    await served.services.runtime.ports[Images].ready(image["image_id"], photo)
    assert await served.services.storage.list("documents") == []
