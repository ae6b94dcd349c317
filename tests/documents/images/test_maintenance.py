"""The nightly look after thumbnails makes what is missing or outdated, removes what is left over, and nothing else."""

import pytest

from tasks.images.variants import SIZES, Variant, variants
from tasks.thumbnails_maintenance import ThumbnailsMaintenance, thumbnails_maintenance
from tests.documents.images.conftest import uploaded
from tests.documents.images.pictures import saved, scene
from tests.waiting import until_state


@pytest.mark.both_databases
async def test_only_what_is_missing_outdated_or_left_over_is_touched(acme, served, start_worker, follow) -> None:
    services, storage = served.services, served.services.storage
    start_worker()

    async def document(turn: int) -> tuple[str, str]:
        file_id = await uploaded(acme, saved(scene(300, 200).rotate(turn), "JPEG"))
        sha256 = (await services.files.describe(file_id)).sha256
        return file_id, f"thumbnails/{sha256[:2]}/{sha256}"

    async def night() -> dict[str, object]:
        accepted = await services.enqueuer.enqueue(thumbnails_maintenance, ThumbnailsMaintenance(), owner="system")

        job = await until_state(services.store, accepted.job_id)
        assert job.error is None
        return dict(job.result)

    (whole, at_whole), (part, at_part) = await document(0), await document(1)
    gone, at_gone = await document(2)
    _, at_old = await document(3)
    bad = await uploaded(acme, saved(scene(300, 200), "JPEG")[:3000])
    named = {"document_ids": [whole, part, gone, bad]}
    await follow((await acme.post("/api/jobs/thumbnails", json=named)).json()["job_id"])
    await storage.delete(f"{at_part}/{Variant(300, 'webp').name}")
    await storage.put(f"{at_old}/r0-150.webp", b"made by an older recipe")
    await acme.delete(f"/api/files/{gone}")
    before = {path: storage.local_path(path).stat().st_mtime_ns for path in await storage.list("thumbnails")}

    first = await night()
    assert (first["made"], first["failed"], first["put_off"]) == (2, 0, False)
    assert first["removed"] == len(variants(SIZES)), "those of the deleted document"
    after = {path: storage.local_path(path).stat().st_mtime_ns for path in await storage.list("thumbnails")}
    expected = {f"{at}/{variant.name}" for at in (at_whole, at_part, at_old) for variant in variants(SIZES)}
    assert {path for path in after if "given-up" not in path} == expected | {f"{at_old}/r0-150.webp"}
    assert not any(path.startswith(at_gone) for path in after)
    made = {path for path, time_ns in after.items() if before.get(path) != time_ns}
    assert made == {f"{at_part}/{Variant(300, 'webp').name}"} | {f"{at_old}/{v.name}" for v in variants(SIZES)}

    second = await night()
    assert (second["made"], second["failed"], second["removed"]) == (0, 0, 1), "the older recipe's, now that it may go"
    assert await night() == second | {"removed": 0}
