"""From the request to the picture, through the API, the queue and a real worker."""

import asyncio
import io
import zlib

import pytest
from PIL import Image

from tests.documents.images.conftest import uploaded
from tests.documents.images.pictures import likeness_db, pdf_with, png, saved, scene

SCENE = scene(900, 600)
JPEG = saved(SCENE, "JPEG", quality=92)


async def test_every_size_is_made_and_served_for_ever(acme, globex, anonymous, start_worker, follow) -> None:
    start_worker()
    ids = [await uploaded(acme, JPEG), await uploaded(acme, pdf_with(SCENE, (450, 300)), "scene.pdf")]
    answer = await acme.post("/api/jobs/thumbnails", json={"document_ids": ids, "sizes": [150, 300, 600]})
    assert answer.status_code == 202
    job = await follow(answer.json()["job_id"])
    assert job["result"] == {"documents": 2, "made": 2, "found": 0, "failed": 0, "failed_documents": []}
    assert job["data"] == {"documents_done": 2, "total_documents": 2}
    for file_id in ids:
        for size in (150, 300, 600):
            picture = await acme.get(f"/api/documents/{file_id}/thumbnails/{size}")
            assert picture.status_code == 200 and picture.headers["content-type"] == "image/webp"
            assert "max-age=3600" in picture.headers["cache-control"] and "Accept" in picture.headers["vary"]
            shown = Image.open(io.BytesIO(picture.content))
            assert shown.size == (size, size * 2 // 3)
            assert likeness_db(shown, SCENE.resize(shown.size)) > 27
    url = f"/api/documents/{ids[0]}/thumbnails/300"
    as_jpeg = await acme.get(url, headers={"Accept": "image/jpeg"})
    assert as_jpeg.headers["content-type"] == "image/jpeg" and as_jpeg.headers["etag"] != picture.headers["etag"]
    again = await acme.get(url, headers={"Accept": "image/jpeg", "If-None-Match": as_jpeg.headers["etag"]})
    assert again.status_code == 304 and not again.content
    assert (await acme.head(url)).headers["content-type"] == "image/webp"
    assert (await globex.get(url)).status_code == 404
    assert (await anonymous.get(url)).status_code == 401


async def test_many_documents_are_parts_and_one_bad_one_fails_alone(acme, start_worker, follow) -> None:
    start_worker()
    pictures = [saved(SCENE.rotate(angle), "JPEG") for angle in range(9)]
    ids = [await uploaded(acme, data) for data in pictures]
    bad = await uploaded(acme, png(30_000, 30_000, zlib.compress(b"\0" * 1000)), "flood.png")
    ids.insert(4, bad)
    answer = await acme.post("/api/jobs/thumbnails", json={"document_ids": ids})
    job = await follow(answer.json()["job_id"])
    assert job["status"] == "completed", job
    assert len(job["parts"]) == 3 and job["data"] == {"documents_done": 10, "total_documents": 10}
    (failed,) = job["result"]["failed_documents"]
    assert failed["document_id"] == bad and "30,000 × 30,000 pixels" in failed["reason"]
    assert (job["result"]["made"], job["result"]["failed"]) == (9, 1)
    assert job["message"] == "Completed, 1 of 10 documents without thumbnails"
    report = (await acme.get(f"/api/jobs/{job['id']}/files/thumbnails.json")).json()
    assert [row["document_id"] for row in report["documents"]] == ids
    for file_id in ids:
        status = (await acme.get(f"/api/documents/{file_id}/thumbnails/150")).status_code
        assert status == (422 if file_id == bad else 200)


@pytest.mark.both_databases
async def test_what_the_same_content_has_is_not_made_again(acme, served, start_worker, follow) -> None:
    start_worker()
    first, second = await uploaded(acme, JPEG), await uploaded(acme, JPEG, "copy.jpg")
    job = await follow((await acme.post("/api/jobs/thumbnails", json={"document_ids": [first]})).json()["job_id"])
    before = {path: served.services.storage.local_path(path).stat().st_mtime_ns for path in await stored(served)}
    both = {"document_ids": [first, second, first], "sizes": [150, 600]}
    job = await follow((await acme.post("/api/jobs/thumbnails", json=both)).json()["job_id"])
    assert job["result"]["documents"] == job["result"]["found"] == 2
    assert before == {
        path: served.services.storage.local_path(path).stat().st_mtime_ns for path in await stored(served)
    }


async def stored(served) -> list[str]:
    return list(await served.services.storage.list("thumbnails"))


async def test_asking_for_a_picture_starts_one_job_however_often(acme, start_worker, follow) -> None:
    file_id = await uploaded(acme, JPEG)
    url = f"/api/documents/{file_id}/thumbnails"
    answers = await asyncio.gather(*(acme.get(f"{url}/{size}") for size in (150, 300, 600) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    (job_id,) = {answer.json()["job_id"] for answer in answers}
    assert answers[0].headers["cache-control"] == "no-store" and answers[0].headers["retry-after"]
    start_worker()
    assert (await follow(job_id))["status"] == "completed"
    for size in (150, 300, 600):
        assert (await acme.get(f"{url}/{size}")).status_code == 200
    other = await acme.get(f"{url}/240")
    assert other.status_code == 202 and other.json()["job_id"] != job_id
    await follow(other.json()["job_id"])
    assert (await acme.get(f"{url}/240")).status_code == 200


async def test_pictures_that_are_gone_again_are_made_again(acme, served, start_worker, follow) -> None:
    start_worker()
    file_id = await uploaded(acme, JPEG)
    url = f"/api/documents/{file_id}/thumbnails/300"
    seen = set()
    for _ in range(3):
        requested = await acme.get(url)
        assert requested.status_code == 202
        seen.add(requested.json()["job_id"])
        await follow(requested.json()["job_id"])
        assert (await acme.get(url)).status_code == 200
        await served.services.storage.delete_prefix("thumbnails")
    assert len(seen) == 3


async def test_a_job_of_bad_documents_only_fails_with_the_reason(acme, start_worker, follow) -> None:
    start_worker()
    cut = await uploaded(acme, JPEG[: len(JPEG) // 2])
    job = await follow((await acme.post("/api/jobs/thumbnails", json={"document_ids": [cut]})).json()["job_id"])
    assert (job["status"], job["error"]) == ("failed", "The picture is damaged or cut short.")
    answer = await acme.get(f"/api/documents/{cut}/thumbnails/150")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "scene.jpg has no thumbnail. The picture is damaged or cut short."


WRONG = [
    ({"document_ids": []}, 400, "document_ids"),
    ({"sizes": [150]}, 400, "document_ids"),
    ({"document_ids": ["file-" + "0" * 32]}, 404, "document_ids"),
    ({"document_ids": ["../../etc/passwd"]}, 404, "document_ids"),
    ({"document_ids": ["x"], "sizes": []}, 400, "sizes"),
    ({"document_ids": ["x"], "sizes": [0]}, 400, "sizes"),
    ({"document_ids": ["x"], "sizes": [1_000_000]}, 400, "sizes"),
    ({"document_ids": ["x"], "sizes": ["150"]}, 400, "sizes"),
    ({"document_ids": ["x"], "formats": ["bmp"]}, 400, "formats"),
    ({"document_ids": ["x"], "colour": "red"}, 400, "colour"),
]


async def test_what_is_wrong_with_a_request_is_named(acme, globex) -> None:
    for body, status, field in WRONG:
        answer = await acme.post("/api/jobs/thumbnails", json=body)
        assert answer.status_code == status, body
        assert answer.json()["errors"][0]["field"].startswith(field), answer.text
    mine, theirs = await uploaded(acme, JPEG), await uploaded(globex, JPEG)
    answer = await acme.post("/api/jobs/thumbnails", json={"document_ids": [mine, theirs]})
    assert answer.status_code == 404 and theirs in answer.json()["detail"]
    for size, status in (("15", 400), ("2001", 400), ("-1", 400), ("big", 404), ("1e3", 404)):
        answer = await acme.get(f"/api/documents/{mine}/thumbnails/{size}")
        assert answer.status_code == status and answer.json()["detail"].endswith(".")
