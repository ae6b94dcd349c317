"""Who may see, who may act, and from where."""

import base64

import pytest

from dashboard.auth import known_user
from settings import Role, Settings
from tests.dashboard.conftest import OPERATOR, VIEWER, Client, act, token
from tests.dashboard.made import Maker

PAGES = ["/admin/queues", "/admin/queues/live", "/admin/jobs", "/admin/jobs/live", "/admin/workers", "/admin/nowhere"]


@pytest.mark.parametrize("page", PAGES)
async def test_a_stranger_is_asked_who_it_is(anybody: Client, page: str) -> None:
    answer = await anybody.get(page)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Bearer acme-secret-key-1", "Basic " + base64.b64encode(b"\xff\xfe:x").decode()],
)
async def test_no_header_lets_a_stranger_in(anybody: Client, header: str) -> None:
    assert (await anybody.get("/admin/queues", headers={"authorization": header})).status_code == 401


def test_a_user_is_known_by_name_and_password_together(settings: Settings) -> None:
    users = settings.dashboard_users
    admin = known_user(users, "admin", "admin-password-1")
    assert admin is not None and admin.role is Role.OPERATOR
    assert known_user(users, "admin", "viewer-password-1") is None
    assert known_user(users, "nobody", "admin-password-1") is None


async def test_a_viewer_sees_every_page_and_no_button(viewer: Client, made: Maker) -> None:
    job_id = await made.failed(await made.active())
    for page in ("/admin/queues", "/admin/jobs", f"/admin/jobs/{job_id}", "/admin/workers"):
        answer = await viewer.get(page)
        assert answer.status_code == 200
        assert 'method="post"' not in answer.text


@pytest.mark.parametrize("action", ["retry", "cancel", "delete"])
async def test_a_viewer_may_not_act(operator: Client, made: Maker, action: str) -> None:
    job_id = await made.failed(await made.active())
    given = await token(operator)
    operator.auth = VIEWER
    answer = await operator.post(f"/admin/jobs/{job_id}/{action}", data={"csrf": given})
    assert answer.status_code == 403
    assert (await made.store.present(job_id)).state == "failed"


async def test_a_viewer_may_not_upload(viewer: Client) -> None:
    answer = await viewer.post("/admin/queues/pdf-processing/upload", files={"file": ("a.pdf", b"%PDF-1.7")})
    assert answer.status_code == 403


@pytest.mark.parametrize("given", ["", "forged", "nonce.0000"])
async def test_a_post_without_a_true_token_changes_nothing(operator: Client, made: Maker, given: str) -> None:
    job_id = await made.queued()
    await token(operator)
    answer = await operator.post(f"/admin/jobs/{job_id}/cancel", data={"csrf": given} if given else {})
    assert answer.status_code == 403
    assert (await made.store.present(job_id)).state == "queued"


async def test_a_token_that_someone_planted_in_both_places_is_refused(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    planted = {"cookie": "offload_csrf=nonce.planted"}
    answer = await operator.post(f"/admin/jobs/{job_id}/cancel", data={"csrf": "nonce.planted"}, headers=planted)
    assert answer.status_code == 403


async def test_one_users_token_is_not_anothers(anybody: Client, made: Maker) -> None:
    job_id = await made.queued()
    anybody.auth = VIEWER
    viewers = (await anybody.get("/admin/queues")).cookies["offload_csrf"]
    anybody.auth = OPERATOR
    answer = await anybody.post(f"/admin/jobs/{job_id}/cancel", data={"csrf": viewers})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_post_from_another_site_is_refused(operator: Client, made: Maker, headers: dict[str, str]) -> None:
    job_id = await made.queued()
    given = await token(operator)
    answer = await operator.post(f"/admin/jobs/{job_id}/cancel", data={"csrf": given}, headers=headers)
    assert answer.status_code == 403
    assert (await made.store.present(job_id)).state == "queued"


async def test_a_post_from_our_own_page_is_obeyed_behind_a_proxy_too(operator: Client, made: Maker) -> None:
    """The proxy speaks HTTPS with the browser and HTTP with us."""
    job_id = await made.queued()
    given = await token(operator)
    answer = await operator.post(
        f"/admin/jobs/{job_id}/cancel",
        data={"csrf": given},
        headers={"origin": f"https://{operator.base_url.netloc.decode()}", "sec-fetch-site": "same-origin"},
    )
    assert answer.status_code == 303


async def test_two_open_pages_share_a_token(operator: Client, made: Maker) -> None:
    first, second = await token(operator), await token(operator)
    assert first == second


async def test_a_form_that_is_no_form_is_refused_with_a_sentence(operator: Client) -> None:
    answer = await operator.post("/admin/queues/pdf-processing/upload", content=b"nonsense")
    assert answer.status_code == 400
    assert "multipart/form-data" in answer.text


async def test_actions_are_posts(operator: Client, made: Maker) -> None:
    job_id = await made.queued()
    assert (await operator.get(f"/admin/jobs/{job_id}/cancel")).status_code in (404, 405)
    assert (await act(operator, f"/admin/jobs/{job_id}/cancel")).status_code == 303
