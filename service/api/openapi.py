"""The OpenAPI document at /schema, and the words in which routes describe their answers."""

from dataclasses import dataclass
from typing import Any

from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
    SecurityScheme,
)

from service.api.reference import ReferencePage
from service.api.schemas import ErrorBody

_REASONS = {
    400: "Something is wrong with the request; `errors` names the fields.",
    401: "No valid API key.",
    403: "The key or ticket lacks the right to do this.",
    404: "Not found, or another owner's.",
    406: "Not to be had in a format that Accept names.",
    409: "Conflicts with the current state.",
    422: "Malware was found in it.",
    410: "It was not finished in time, or parts of it are gone.",
    412: "The header Tus-Resumable names no version of the protocol that is spoken here.",
    413: "Too large.",
    415: "A file of another kind than is wanted here, by its content.",
    416: "Range not satisfiable.",
    429: "A limit of the owner's is reached, which `detail` names with its plan, or too many wrong keys came from this address; "
    "Retry-After says how long to wait.",
    460: "The bytes that came are not those of the checksum.",
    503: "A part of the service is out of reach; Retry-After says when to try again.",
    507: "A disk, or the database's, is full; Retry-After says when to try again.",
}

BINARY = ResponseSpec(bytes, generate_examples=False, description="The bytes.", media_type="*/*")

RANGED = {
    206: ResponseSpec(bytes, generate_examples=False, description="The range.", media_type="*/*"),
    304: ResponseSpec(None, generate_examples=False, description="Unchanged since the ETag given."),
}


def refusals(*status_codes: int) -> dict[int, ResponseSpec]:
    """The errors a route behind a key may answer with, each with its reason."""
    return {
        code: ResponseSpec(ErrorBody, generate_examples=False, description=_REASONS[code])
        for code in (*status_codes, 401, 403, 429, 503, 507)
    }


def unavailable(body: Any) -> dict[int, ResponseSpec]:
    """A 503 with the same body as the 200."""
    return {503: ResponseSpec(body, generate_examples=False, description="Not everything is in working order.")}


@dataclass
class UploadOperation(Operation):
    """Describes the multipart body of an upload, which its handler reads as it arrives."""

    def __post_init__(self) -> None:
        file = Schema(
            type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY, content_media_type="application/octet-stream"
        )
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": file}, required=["file"])
        self.request_body = RequestBody(required=True, content={"multipart/form-data": OpenAPIMediaType(schema=form)})


def openapi_config(version: str) -> OpenAPIConfig:
    """/schema for people, or as JSON for who asks for that; /schema/openapi.json and .yaml always."""
    return OpenAPIConfig(
        title="Offload",
        version=version,
        description="Documents go in, slow work happens in the background, results come out.",
        path="/schema",
        use_handler_docstrings=True,
        security=[{"ApiKey": []}],
        components=Components(
            security_schemes={"ApiKey": SecurityScheme(type="http", scheme="bearer", description="An API key.")}
        ),
        render_plugins=[ReferencePage(), JsonRenderPlugin(), YamlRenderPlugin()],
    )
