"""Starting a job by hand: a form made from its declaration, which loses nothing that was typed."""

import pytest
from httpx import Response
from markupsafe import escape

from dashboard.jobs.fields import fields_of, to_request
from dashboard.jobs.query_lines import hints, to_lines, to_params
from service.lib.languages import in_language
from service.lib.sentences.recogniser import shown
from service.monitoring.audit_log import AuditFilter
from tasks.sdk.types import REGISTRY
from tests.dashboard.conftest import VIEWER, Client, token
from tests.dashboard.made import Maker

MULTIPART = {"content-type": "multipart/form-data; boundary=x"}
PUBLIC = [name for name, job_type in REGISTRY.items() if job_type.public]


async def sent(client: Client, name: str, file: tuple[str, bytes] = ("", b""), **fields: str) -> Response:
    """The form as a browser sends it: the file's part is there even when none was chosen."""
    body = multipart({"csrf": await token(client), "priority": "normal", **fields}, file)
    return await client.post(f"/admin/jobs/new/{name}", content=body, headers=MULTIPART)


def multipart(fields: dict[str, str], file: tuple[str, bytes] = ("", b"")) -> bytes:
    """The body written out, because httpx leaves out a file's name when it is empty, and browsers do not."""
    heads = [f'"{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    heads.append(f'"file"; filename="{file[0]}"\r\n\r\n'.encode() + file[1])
    parts = b"".join(b"--x\r\nContent-Disposition: form-data; name=" + head + b"\r\n" for head in heads)
    return parts + b"--x--\r\n"


@pytest.mark.parametrize("name", PUBLIC)
async def test_every_public_job_type_has_a_form_of_all_its_fields(operator: Client, name: str) -> None:
    page = (await operator.get(f"/admin/jobs/new?type={name}")).text
    for field in (*REGISTRY[name].payload.__struct_encode_fields__, "priority", "schedule_at"):
        assert f'name="{field}"' in page
    assert "`" not in page


OWN = [one.name for one in REGISTRY.values() if one.function.__module__.startswith("tasks.")]


@pytest.mark.parametrize("name", OWN)
def test_every_own_job_type_is_described_in_german(name: str) -> None:
    description = REGISTRY[name].description
    with in_language("de"):
        assert shown(description) != description


async def test_the_form_says_in_german_what_a_type_does(operator: Client) -> None:
    operator.headers["accept-language"] = "de"
    page = (await operator.get("/admin/jobs/new?type=csv-export")).text
    assert "Exportiert die Zeilen eines Datensatzes nach export.csv" in page and "Export the rows" not in page


async def test_no_other_job_type_has_one(operator: Client) -> None:
    assert (await operator.get("/admin/jobs/new?type=weekly-report")).status_code == 404
    assert (await sent(operator, "pdf-ocr-pages")).status_code == 404


async def test_a_job_is_queued_as_the_api_would(operator: Client, made: Maker) -> None:
    answer = await sent(
        operator, "csv-export", dataset="jobs", columns="job_id, type", as_owner="acme", priority="high"
    )
    assert answer.status_code == 303, answer.text
    job = await made.store.present(answer.headers["location"].removeprefix("/admin/jobs/").partition("?")[0])
    assert (job.type, job.owner, job.priority) == ("csv-export", "acme", "high")
    assert job.payload["columns"] == ["job_id", "type"] and job.payload["query_params"] == {}
    (line,) = (await made.services.audit.page(AuditFilter(action="job.submitted", target="csv-export"), limit=1)).events
    assert line.detail == f"{job.id} for acme"


async def test_a_file_may_be_uploaded_in_the_place_of_its_id(operator: Client, made: Maker, scan: bytes) -> None:
    answer = await sent(operator, "thumbnails", ("scan.png", scan), sizes="150, 300", formats="webp")
    assert answer.status_code == 303, answer.text
    job = await made.store.present(answer.headers["location"].removeprefix("/admin/jobs/").partition("?")[0])
    (file_id,) = job.payload["document_ids"]
    assert (await made.services.files.describe(file_id, "dashboard:admin")).name == "scan.png"
    assert job.payload["sizes"] == [150, 300]


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("pdf-ocr", {"languages": "en"}, "file_id is required"),
        ("pdf-ocr", {"file_id": "no-such", "languages": "de, en"}, "no-such"),
        ("csv-export", {"dataset": "nothing", "columns": "de, en"}, "nothing"),
        ("csv-export", {"dataset": "jobs", "query_params": "{broken"}, "query_params must be"),
        ("thumbnails", {"document_ids": "a", "sizes": "huge"}, "sizes[0] must be a whole number"),
        ("csv-export", {"dataset": "jobs", "schedule_at": "2001-01-01T08:00"}, "in the past"),
        ("csv-export", {"dataset": "jobs", "as_owner": "nobody"}, "There is no owner nobody"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_typed_is_lost(
    operator: Client, made: Maker, name: str, fields: dict[str, str], sentence: str
) -> None:
    answer = await sent(operator, name, **fields)
    assert 400 <= answer.status_code < 500 and sentence in answer.text
    for value in fields.values():
        assert str(escape(value)) in answer.text
    assert not (await made.store.list(type=name)).jobs


async def test_a_viewer_and_a_form_without_its_token_start_nothing(operator: Client, made: Maker) -> None:
    body = multipart({"csrf": "forged", "dataset": "jobs"})
    assert (await operator.post("/admin/jobs/new/csv-export", content=body, headers=MULTIPART)).status_code == 403
    operator.auth = VIEWER
    assert 'method="post"' not in (await operator.get("/admin/jobs/new")).text
    assert (await operator.post("/admin/jobs/new/csv-export", content=body, headers=MULTIPART)).status_code == 403
    assert not (await made.store.list(type="csv-export")).jobs


def test_what_is_typed_becomes_what_a_client_would_send() -> None:
    typed = {"dataset": "events", "query_params": '{"limit": 3}', "gzip": "yes", "schedule_at": "2030-01-31T08:00"}
    expected = (
        b'{"dataset":"events","query_params":{"limit":3},"bom":false,"gzip":true,"schedule_at":"2030-01-31T08:00:00Z"}'
    )
    assert to_request(fields_of(REGISTRY["csv-export"]), typed) == expected


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("", {}),
        ("status: failed, cancelled\n\ntype: pdf-ocr", {"status": ["failed", "cancelled"], "type": "pdf-ocr"}),
        ("created_at.from: 2026-01-31\ncreated_at.to: 2026-02-28T08:00:00Z",
         {"created_at": {"from": "2026-01-31", "to": "2026-02-28T08:00:00Z"}}),
        ("no_such: 5", {"no_such": "5"}),
        ('{"type": "pdf-ocr"}', {"type": "pdf-ocr"}),
        ("{broken", "{broken"),
        ("just words", "just words"),
    ],
)  # fmt: skip
def test_filters_of_an_export_are_lines(text: str, params: object) -> None:
    assert to_params(text, "jobs") == params


def test_a_value_has_the_kind_of_its_filter_and_comes_back_as_it_was_typed() -> None:
    params = {"id": [1, 2], "active": True, "plan": "7", "search": "ada"}
    assert to_params(to_lines(params), "users") == params
    assert to_params(to_lines({"search": "Lovelace, Ada"}), "users") == {"search": "Lovelace, Ada"}
    assert {name for name, filters in hints().items() if not filters} == set()


async def test_an_export_is_filtered_without_json(operator: Client, made: Maker) -> None:
    lines = "status: failed\ncreated_at.from: 2026-01-31"
    answer = await sent(operator, "csv-export", dataset="jobs", query_params=lines, as_owner="acme")
    assert answer.status_code == 303, answer.text
    job_id = answer.headers["location"].removeprefix("/admin/jobs/").partition("?")[0]
    job = await made.store.present(job_id)
    assert job.payload["query_params"] == {"status": "failed", "created_at": {"from": "2026-01-31"}}
    await made.store.cancel(job_id)
    edit = (await operator.get(f"/admin/jobs/{job_id}/edit")).text
    assert lines in edit
    wrong = await sent(operator, "csv-export", dataset="jobs", query_params="colour: red")
    assert wrong.status_code == 400 and "jobs has no filter" in wrong.text and "colour: red" in wrong.text
