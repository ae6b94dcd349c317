"""POST: create, rotate and revoke API keys. A secret is on the page that answers, and never again."""

from datetime import datetime, timedelta
from typing import Any

from litestar import Request, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from dashboard.audit_middleware import ACTION, audit_detail, on_behalf
from dashboard.auth import User
from dashboard.keys.views import EXPIRIES, OVERLAPS, shown
from service.api.dependencies import ServicesDep
from service.database.api_keys import ApiKey, BadKeyRequest
from service.database.column_types import utc_now
from tasks.sdk.errors import Refused
from tasks.sdk.types import REGISTRY


@post("/keys", status_code=201, opt={ACTION: "key.created"})
async def create_key(request: Request[User, Any, Any], services: ServicesDep) -> Template:
    """400 with the form as it was typed where no key can be made of it."""
    form = await request.form()
    typed = {name: str(form.get(name, "")) for name in ("owner", "name", "days")}
    rights = {name: [str(value) for value in form.getall(name, [])] for name in ("scopes", "types")}
    try:
        made = await services.api_keys.create(
            typed["owner"],
            typed["name"],
            created_by=request.user.name,
            scopes=rights["scopes"],
            job_types=_known(rights["types"]),
            expires_at=_expiry(typed["days"]),
        )
    except BadKeyRequest as error:
        return await shown(request, services, typed=typed | rights, wrong=str(error), status_code=400)
    _note(request, made[0])
    return await shown(request, services, made=made, notice="key-created", status_code=201)


@post("/keys/{key:str}/rotate", status_code=201, opt={ACTION: "key.rotated"})
async def rotate_key(
    request: Request[User, Any, Any], services: ServicesDep, key: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Template:
    minutes = data.get("overlap", "60")
    if minutes not in OVERLAPS:
        raise Refused(f"A rotated key stays valid {', '.join(OVERLAPS.values())}.", field="overlap")
    made = await services.api_keys.rotate(key, created_by=request.user.name, overlap=timedelta(minutes=int(minutes)))
    _note(request, made[0])
    return await shown(request, services, made=made, notice="key-rotated", status_code=201)


@post("/keys/{key:str}/revoke", status_code=303, opt={ACTION: "key.revoked"})
async def revoke_key(request: Request[User, Any, Any], services: ServicesDep, key: FromPath[str]) -> Redirect:
    """Every process refuses it within a second; its open sockets and event streams are closed."""
    _note(request, await services.api_keys.revoke(key))
    return Redirect("/admin/keys?notice=key-revoked", status_code=303)


def _known(names: list[str]) -> list[str]:
    for name in names:
        if name not in REGISTRY or not REGISTRY[name].public:
            raise BadKeyRequest(f"There is no job type {name[:80]}.")
    return names


def _expiry(days: str) -> datetime | None:
    if days not in EXPIRIES:
        raise BadKeyRequest(f"A key expires {', '.join(EXPIRIES.values())}.")
    return utc_now() + timedelta(days=int(days)) if days else None


def _note(request: Request[User, Any, Any], key: ApiKey) -> None:
    rights = ", ".join([*sorted(key.scope_set), *sorted(key.type_set)])
    audit_detail(request, f"{key.key_id}, {key.name}: {rights}")
    on_behalf(request, key.owner)
