"""Write openapi.json, the part of the server's OpenAPI document that the client uses, and src/schema.ts, its types.

Run it by `npm run types`, with the Python that Offload is installed in (PYTHON=../../.venv/bin/python).
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.di import Provide

from service.api import api_routes, openapi_config

FOLDER = Path(__file__).resolve().parents[1]

USED = (
    "/api/files",
    "/api/files/{file_id}",
    "/api/jobs",
    "/api/jobs/batch",
    "/api/jobs/{job_id}",
    "/api/jobs/{job_id}/status",
    "/api/jobs/{job_id}/ticket",
    "/api/webhooks",
    "/api/workflows",
    "/api/workflows/{workflow_id}",
)
"""Paths of the client's verbs, besides those that queue a job of one type."""


def document() -> dict[str, Any]:
    """The OpenAPI document of the API with what the client uses alone."""
    app = Litestar(
        api_routes(),
        openapi_config=openapi_config(),
        dependencies={"services": Provide(_not_needed, sync_to_thread=False)},
        logging_config=None,
    )
    whole = app.openapi_schema.to_schema()
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    found = [{"$ref": "#/components/schemas/ErrorBody"}]
    for path, operations in whole["paths"].items():
        submits = operations.get("post", {}).get("operationId", "").startswith("submit-")
        if path in USED or submits:
            found += operations.values()
        if submits:
            body = operations["post"]["requestBody"]
            paths[path] = {"post": {"requestBody": body, "responses": {"202": {"description": "Queued."}}}}
    while found:
        for name in _references(found.pop()):
            if name not in schemas:
                schemas[name] = whole["components"]["schemas"][name]
                found.append(schemas[name])
    return {
        "openapi": whole["openapi"],
        "info": {"title": "Offload", "version": "0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _not_needed() -> None:
    """The document is made without open connections."""


def _references(value: Any) -> set[str]:
    """Names of the schemas that a part of the document refers to."""
    if isinstance(value, dict):
        own = {value["$ref"].rpartition("/")[2]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def types(text: str) -> str:
    """TypeScript of a document as JSON, by openapi-typescript."""
    command = [FOLDER / "node_modules/.bin/openapi-typescript", "--alphabetize", "--default-non-nullable=false"]
    made = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return "// Made by `npm run types` from openapi.json. Do not edit.\n" + made.stdout


if __name__ == "__main__":
    text = json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (FOLDER / "openapi.json").write_text(text, encoding="utf-8")
    (FOLDER / "src/schema.ts").write_text(types(text), encoding="utf-8")
