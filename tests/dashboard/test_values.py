"""Large payloads and results: the beginning on a job's page, the whole behind a link."""

from service.engine.payload_files import INLINE_BYTES_MAX, SHOWN_BYTES_MAX
from tests.dashboard.conftest import VIEWER, Client
from tests.dashboard.made import Anything, Maker

WORD = "Xylophon"


async def test_a_large_result_is_cut_on_its_page_and_whole_behind_its_link(operator: Client, made: Maker) -> None:
    result = {"rows": [WORD] * 40_000}
    large = await made.completed(await made.active(), result=result)
    small = await made.completed(await made.active(), result={"rows": [WORD]})
    page = (await operator.get(f"/admin/jobs/{large}")).text
    assert len(page) < 200_000 and f'href="/admin/jobs/{large}/result"' in page
    assert f'href="/admin/jobs/{small}/result"' not in (await operator.get(f"/admin/jobs/{small}")).text
    whole = await operator.get(f"/admin/jobs/{large}/result")
    assert whole.headers["content-type"].startswith("application/json") and whole.json() == result
    masked = await operator.get(f"/admin/jobs/{large}/result", auth=VIEWER)
    assert masked.status_code == 200 and WORD not in masked.text and len(masked.json()["rows"]) == 40_000


async def test_a_payload_in_the_storage_is_whole_behind_its_link(operator: Client, made: Maker) -> None:
    for size in (INLINE_BYTES_MAX, SHOWN_BYTES_MAX):
        payload = Anything(file_id=WORD * (size // len(WORD) + 1))
        job_id = await made.queued(payload=payload)
        page = (await operator.get(f"/admin/jobs/{job_id}")).text
        assert len(page) < 200_000 and f'href="/admin/jobs/{job_id}/payload"' in page
        assert (await operator.get(f"/admin/jobs/{job_id}/payload")).json()["file_id"] == payload.file_id
        assert (await operator.get(f"/admin/jobs/{job_id}/payload", auth=VIEWER)).status_code == 200
    await made.services.storage.delete_prefix(f"jobs/{job_id}/")
    lost = await operator.get(f"/admin/jobs/{job_id}/payload")
    assert lost.status_code == 404 and "is missing in the storage" in lost.text
