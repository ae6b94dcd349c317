"""Outputs of a job, on its page: pages next to their text, first rows, recipients, pictures."""

import gzip
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from dashboard.previews import page_images
from dashboard.previews.tables import READ_BYTES, csv_rows, gzip_rows, xlsx_rows
from service.engine.job_files import checkpoint_path
from settings import Queue
from tasks.exports.columns import Column, Kind
from tasks.exports.xlsx_file import write_xlsx
from tasks.ocr.pages import checkpoint_name
from tasks.ocr.results import PdfText
from tasks.ocr.words import PageText, Word, encode
from tasks.sdk.errors import OutOfMemory
from tasks.sdk.types import Payload
from tests.dashboard.conftest import OPERATOR, VIEWER, Client
from tests.dashboard.made import Anything, Maker, made_type

LONG = "x" * 5_000

PICTURE_TIMEOUT_S = 60.0
"""The first picture waits for a child process to be started, on a busy machine longer than a client would."""


class Export(Payload, frozen=True, omit_defaults=False):
    dataset: str = "users"
    columns: list[str] | None = None


async def uploaded(made: Maker, content: bytes, name: str) -> str:
    """A document's id."""

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return (await made.services.files.upload(chunks(), owner="acme", name=name)).file_id


def two_pages() -> bytes:
    """A PDF of a white page and a black one."""
    file = io.BytesIO()
    first, second = (Image.new("RGB", (60, 85), colour) for colour in ("white", "black"))
    first.save(file, "PDF", save_all=True, append_images=[second])
    return file.getvalue()


async def read_job(made: Maker, file_id: str, *, texts: dict[int, str], total: int, result: object = None) -> str:
    """A document that was read, page by page."""
    job = await made.active(payload=Anything(file_id=file_id))
    for number, text in texts.items():
        word = Word("word", (0, 0, 1, 1), 0.9, "ocr")
        page = PageText(number, 60, 85, "ocr", [word], text, 0.91, engine="easyocr")
        await made.services.storage.put(checkpoint_path(job.id, checkpoint_name(number)), encode(page))
    await made.progressed(job, 99, "Text assembled", total_pages=total)
    return await made.completed(job, {"text.txt": (b"all of it", "text/plain")}, result)


async def test_a_page_stands_beside_what_was_read_on_it(operator: Client, made: Maker) -> None:
    file_id = await uploaded(made, two_pages(), "two.pdf")
    job_id = await read_job(made, file_id, texts={1: "The first page.", 2: "The second <b>page</b>."}, total=2)
    first = (await operator.get(f"/admin/jobs/{job_id}")).text
    assert "The first page." in first and "The second" not in first and "91 % sure" in first
    second = (await operator.get(f"/admin/jobs/{job_id}?page=2")).text
    assert "The second &lt;b&gt;page&lt;/b&gt;." in second and f"/admin/jobs/{job_id}/pages/2/picture" in second
    assert "The second" in (await operator.get(f"/admin/jobs/{job_id}/live?page=2")).text
    assert "The second" in (await operator.get(f"/admin/jobs/{job_id}?page=99999")).text, "the last page there is"
    assert "The first page." in (await operator.get(f"/admin/jobs/{job_id}?page=-1'")).text


async def test_a_page_is_drawn_once_and_then_kept(operator: Client, made: Maker) -> None:
    file_id = await uploaded(made, two_pages(), "two.pdf")
    job_id = await read_job(made, file_id, texts={1: "a", 2: "b"}, total=2)
    for number, shade in ((1, 255), (2, 0)):
        answer = await operator.get(f"/admin/jobs/{job_id}/pages/{number}/picture", timeout=PICTURE_TIMEOUT_S)
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp"
        picture = Image.open(io.BytesIO(answer.content)).convert("L")
        assert max(picture.size) == 1200 and abs(picture.getpixel((600, 600)) - shade) < 8  # type: ignore[operator]  # one number: grey
    tag = answer.headers["etag"]
    assert "max-age=3600" in answer.headers["cache-control"] and "private" in answer.headers["cache-control"]
    again = await operator.get(
        f"/admin/jobs/{job_id}/pages/2/picture", headers={"if-none-match": tag}, timeout=PICTURE_TIMEOUT_S
    )
    assert again.status_code == 304
    await made.services.files.delete(file_id)
    assert (await operator.get(f"/admin/jobs/{job_id}/pages/2/picture")).status_code == 200, "it was kept"


async def test_a_page_of_a_deleted_document_is_drawn_from_the_searchable_one(operator: Client, made: Maker) -> None:
    job = await made.active()
    await made.progressed(job, 99, "", total_pages=2)
    job_id = await made.completed(job, {"searchable.pdf": (two_pages(), "application/pdf")})
    answer = await operator.get(f"/admin/jobs/{job_id}/pages/2/picture", timeout=PICTURE_TIMEOUT_S)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")


async def test_a_picture_that_cannot_be_had_is_refused_in_a_sentence(operator: Client, made: Maker) -> None:
    job_id = await read_job(made, "file-gone", texts={1: "a"}, total=2)
    gone = await operator.get(f"/admin/jobs/{job_id}/pages/1/picture", timeout=PICTURE_TIMEOUT_S)
    assert gone.status_code == 404 and "There is no file file-gone." in gone.text
    assert (await operator.get(f"/admin/jobs/{job_id}/pages/3/picture")).status_code == 404
    broken = await read_job(made, await uploaded(made, two_pages(), "two.pdf"), texts={3: "c"}, total=3)
    for _ in range(2):
        answer = await operator.get(f"/admin/jobs/{broken}/pages/3/picture", timeout=PICTURE_TIMEOUT_S)
        assert answer.status_code == 422 and "The PDF has no page 3." in answer.text


def out_of_memory(*_: object) -> bytes:
    raise OutOfMemory("the child process was killed")


async def test_a_page_that_the_machine_had_no_memory_for_is_drawn_later(
    operator: Client, made: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = (
        f"/admin/jobs/{await read_job(made, await uploaded(made, two_pages(), 'two.pdf'), texts={}, total=2)}/pages"
    )
    with monkeypatch.context() as patched:
        patched.setattr(page_images, "page_picture", out_of_memory)
        refused = await operator.get(f"{address}/2/picture", timeout=PICTURE_TIMEOUT_S)
    assert refused.status_code == 422 and "Drawing page 2: the child process was killed" in refused.text
    assert (await operator.get(f"{address}/2/picture", timeout=PICTURE_TIMEOUT_S)).status_code == 200


async def test_a_page_that_was_not_read_says_why(operator: Client, made: Maker) -> None:
    result = {"failed_pages": [{"page": 2, "reason": "reading it took longer than 60 s"}]}
    job_id = await read_job(made, "file-1", texts={1: "a"}, total=2, result=result)
    assert (
        "This page was not read: reading it took longer than 60 s"
        in (await operator.get(f"/admin/jobs/{job_id}?page=2")).text
    )


async def exported(made: Maker, name: str, content: bytes, **payload: object) -> str:
    job = await made.active(made_type("csv-export", Queue.CSV_EXPORT), payload=Export(**payload))  # type: ignore[arg-type]  # any payload
    return await made.completed(job, {name: (content, "text/csv")}, {"rows": 12_345})


async def test_the_first_rows_of_an_export_are_a_table_without_what_is_personal(anybody: Client, made: Maker) -> None:
    content = "id,email,plan\n" + "".join(f"{n},u{n}@example.com,free\n" for n in range(1, 5000))
    job_id = await exported(made, "export.csv", content.encode())
    anybody.auth = OPERATOR
    page = (await anybody.get(f"/admin/jobs/{job_id}")).text
    assert "20 of 12,345 rows" in page and "<td>u20@example.com</td>" in page and "u21@example.com" not in page
    assert (await anybody.get(f"/admin/jobs/{job_id}/files/export.csv")).status_code == 200
    anybody.auth = VIEWER
    page = (await anybody.get(f"/admin/jobs/{job_id}")).text
    assert "example.com" not in page and "<td>free</td>" in page and "<td>•••</td>" in page
    refused = await anybody.get(f"/admin/jobs/{job_id}/files/export.csv")
    assert refused.status_code == 403 and "may hold personal data" in refused.text
    plain = await exported(made, "export.csv", b"id,plan\n1,free\n", columns=["id", "plan"])
    assert (await anybody.get(f"/admin/jobs/{plain}/files/export.csv")).status_code == 200


def test_a_csv_is_read_to_a_bound_whatever_its_length() -> None:
    rows = "".join(f"{n},{LONG}\n" for n in range(200)).encode()
    assert len(rows) > 3 * READ_BYTES
    for read, content in ((csv_rows, rows), (gzip_rows, gzip.compress(rows))):
        file = io.BytesIO(content)
        found = read(file)
        assert file.tell() <= READ_BYTES and len(found) == 21 and all(len(cell) <= 200 for row in found for cell in row)
    assert csv_rows(io.BytesIO(f"a,{'y' * 100_000}\n".encode() * 9))[-1][0] == "a", "a row cut in two is left out"


def test_a_sheet_is_read_only_as_far_as_its_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "export.xlsx"
    columns = (Column("id", Kind.INTEGER), Column("email"), Column("on", Kind.FLAG), Column("at", Kind.MOMENT))
    rows = [(n, f"u{n}@example.com", n % 2 == 0, "2026-01-31T08:00:00") for n in range(20_000)]
    write_xlsx(path, "Users", columns, len(rows), iter([rows]))

    class Counted(io.FileIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size) or b""
            self.taken += len(data)
            return data

    with Counted(path) as file:
        found = xlsx_rows(file)  # type: ignore[arg-type]  # a raw file reads as a buffered one does
        assert file.taken < path.stat().st_size / 4
    assert found[0] == ["id", "email", "on", "at"] and len(found) == 21
    assert found[1] == ["0", "u0@example.com", "true", "2026-01-31 08:00:00"]


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"no zip at all"])
async def test_a_table_that_cannot_be_read_is_none(operator: Client, made: Maker, content: bytes) -> None:
    job_id = await exported(made, "export.xlsx", content)
    assert (await operator.get(f"/admin/jobs/{job_id}")).status_code == 200


async def test_doubtful_pages_are_said_marked_and_filtered_for(operator: Client, made: Maker) -> None:
    file_id = await uploaded(made, two_pages(), "two.pdf")
    job = await made.active(payload=Anything(file_id=file_id))
    for number in (1, 2, 3):
        doubt = "a third of its letters are in words read below 0.9" if number == 2 else None
        page = PageText(number, 60, 85, "ocr", [], "words", 0.4, doubtful=doubt is not None, doubt=doubt)
        await made.services.storage.put(checkpoint_path(job.id, checkpoint_name(number)), encode(page))
    result = PdfText(3, 1, 3, 0, 0, 0, [], doubtful_pages=[2, 3])
    await made.progressed(job, 95, "Text assembled", total_pages=3, doubtful_pages=[2, 3])
    job_id = await made.completed(job, {}, result, message=result.summary, tags=result.tags)
    sound = await made.completed(await made.active())
    text = " ".join((await operator.get(f"/admin/jobs/{job_id}")).text.split())
    assert "Completed, 2 of 3 pages read doubtfully (2, 3)" in text and "2 of 3 pages are doubtful" in text
    assert "This page was read doubtfully." not in text and f"/admin/jobs/{job_id}?page=2#preview" in text
    second = " ".join((await operator.get(f"/admin/jobs/{job_id}?page=2")).text.split())
    assert "This page was read doubtfully.</strong> A third of its letters" in second and "?page=3#preview" in second
    listed = (await operator.get("/admin/jobs?tag=doubtful")).text
    assert f'id="row-{job_id}"' in listed and f'id="row-{sound}"' not in listed
    assert "2 of 3 pages read doubtfully (2, 3)" in listed and "Doubtful pages" in listed


def test_a_summary_names_some_doubtful_pages_and_counts_the_rest() -> None:
    assert PdfText(3, 1, 3, 0, 0, 0, []).summary == "" and PdfText(3, 1, 3, 0, 0, 0, []).tags == ()
    many = PdfText(1_200, 1, 3, 0, 0, 0, [], doubtful_pages=list(range(1, 1_101)))
    assert many.summary == (
        "Completed, 1,100 of 1,200 pages read doubtfully (1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 1,090 more)"
    )
