"""An owner's world, one thing of each kind, and a request for every route of the API that is about these things."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from litestar import Litestar
from litestar.routes import HTTPRoute
from PIL import Image

from service.monitoring.owner_alerts import Wish
from tests.api.hands import Hands

PLANTED = "zaphod-planted"
"""Stands in every name and text of the world: no answer to anyone else may hold it."""


TUS = {
    "Tus-Resumable": "1.0.0",
    "Upload-Length": "9",
    "Upload-Offset": "0",
    "Content-Type": "application/offset+octet-stream",
    "X-HTTP-Method-Override": "PATCH",
}
"""Headers of the protocol of resumable uploads, of each of its calls what it takes."""


@dataclass(frozen=True)
class Call:
    """A request for one method of one route."""

    method: str
    route: str
    path: str
    json: Any = None
    files: Any = None
    headers: Any = None

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        """Send it."""
        return await client.request(self.method, self.path, json=self.json, files=self.files, headers=self.headers)

    @property
    def aims(self) -> bool:
        """True where its path names something of the world."""
        return self.path != self.route


@dataclass(frozen=True)
class World:
    """Ids by the names that paths and bodies give them."""

    ids: Mapping[str, str]
    document: Mapping[str, Any]
    """The OpenAPI document, from which bodies are made."""

    def calls(self, app: Litestar) -> Iterator[Call]:
        """One for each method of each route under /api, by the route table. KeyError where a parameter is unknown here."""
        for route in app.routes:
            if not isinstance(route, HTTPRoute) or not route.path_format.startswith("/api"):
                continue
            path = re.sub(r"\{(\w+)\}", lambda found: self.ids[found[1]], route.path_format)
            for method in sorted(route.methods - {"OPTIONS"}):
                yield Call(method, route.path_format, path, **self._body(method, route.path_format))

    def _body(self, method: str, path: str) -> dict[str, Any]:
        if path.startswith("/api/uploads"):
            return {"headers": TUS}
        operation = self.document["paths"].get(path, {}).get(method.lower(), {})
        content = operation.get("requestBody", {}).get("content", {})
        if "multipart/form-data" in content:
            return {"files": {"file": ("own.png", picture("white"))}}
        schema = content.get("application/json", {}).get("schema")
        return {} if schema is None else {"json": self._example(schema)}

    def _example(self, schema: Mapping[str, Any], name: str = "") -> Any:
        """The smallest value that fits, with the world's ids where a field is named like one."""
        if "$ref" in schema:
            return self._example(self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], name)
        for choice in ("oneOf", "anyOf"):
            if choice in schema:
                return self._example(schema[choice][0], name)
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type")
        if kind == "object":
            wanted = [
                one for one in schema.get("properties", {}) if one in schema.get("required", ()) or one in self.ids
            ]
            return {one: self._example(schema["properties"][one], one) for one in wanted}
        if kind == "array":
            return [self._example(schema.get("items", {}), name.removesuffix("s"))]
        if kind in ("integer", "number"):
            return schema.get("minimum", 1)
        return True if kind == "boolean" else self.ids.get(name.replace("document_id", "file_id"), "own")


def picture(colour: str) -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return file.getvalue()


async def made_world(owner: httpx.AsyncClient, hands: Hands) -> World:
    """Make one thing of each kind by the API."""

    async def made(path: str, **body: Any) -> dict[str, Any]:
        answer = await owner.post(path, **body)
        assert answer.is_success, (path, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    upload = {"file": (f"{PLANTED}.png", picture("red"))}
    file = await made("/api/files", files=upload)
    job = await made("/api/jobs/pdf-ocr", json={"file_id": file["file_id"]})
    await hands.complete(await hands.take(), text_txt=PLANTED.encode())
    image = await made("/api/images", files=upload)
    words = {"name": PLANTED, "subject": PLANTED, "html": f"<p>{PLANTED}</p>", "text": PLANTED}
    template = await made("/api/templates", json=words)
    payload = {"dataset": "users", "format": "csv"}
    schedule = await made(
        "/api/schedules", json={"name": PLANTED, "every_s": 86_400, "job": "csv-export", "payload": payload}
    )
    # A public address, so that no name is looked up; nothing is sent to it, since no worker runs.
    webhook = await made("/api/webhooks", json={"url": f"https://8.8.8.8/{PLANTED}", "events": ["job.completed"]})
    delivery = await made(f"/api/webhooks/{webhook['webhook_id']}/test")
    jobs = [{"name": PLANTED, "type": "csv-export", "payload": payload}]
    workflow = await made("/api/workflows", json={"jobs": jobs})
    # Straight into the table: an installation without a mail server registers none.
    alerts, wish = hands.services.owner_alerts, Wish(f"{PLANTED}@example.com", ["failed"], "en", 60, 30)
    address, _ = await alerts.rows.put("acme", wish, {})
    await alerts.rows.confirm(address.address_id, {})
    await alerts.counters.sync()
    upload_id = (await owner.post("/api/uploads", headers=TUS)).json()["upload_id"]
    ids = {
        "address_id": address.address_id,
        "upload_id": upload_id,
        "file_id": file["file_id"],
        "image_id": image["image_id"],
        "job_id": job["job_id"],
        "template_id": template["template_id"],
        "schedule_id": schedule["schedule_id"],
        "webhook_id": webhook["webhook_id"],
        "delivery_id": delivery["delivery_id"],
        "workflow_id": workflow["workflow_id"],
        "page": "1",
        "name": "text.txt",
        "size": "150",
        "format": "480p",
    }
    return World(ids, (await owner.get("/schema/openapi.json")).json())


async def state_of_things(owner: httpx.AsyncClient, world: World) -> dict[str, Any]:
    """Everything of the world that a stranger could have changed."""
    ids = world.ids
    bodies = {
        path: (await owner.get(path)).json()
        for path in (
            f"/api/files/{ids['file_id']}",
            f"/api/images/{ids['image_id']}",
            f"/api/jobs/{ids['job_id']}",
            f"/api/templates/{ids['template_id']}",
            f"/api/webhooks/{ids['webhook_id']}",
            f"/api/workflows/{ids['workflow_id']}",
            f"/api/schedules/{ids['schedule_id']}",
            f"/api/uploads/{ids['upload_id']}",
            "/api/owner-alerts",
        )
    }
    # Of a schedule the next times move with the clock.
    return {path: {name: value for name, value in body.items() if name != "next"} for path, body in bodies.items()}
