"""The API reference a person reads at /schema: rendered here, so that it needs no script and nothing from elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment
from litestar import Request
from litestar.enums import MediaType
from litestar.openapi.plugins import OpenAPIRenderPlugin

TEMPLATE = Path(__file__).with_name("reference.html")


@dataclass(frozen=True)
class Field:
    """A parameter or a field of a body, as one row."""

    name: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True)
class Route:
    """One operation."""

    method: str
    path: str
    summary: str
    about: str
    takes: list[Field] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)


class ReferencePage(OpenAPIRenderPlugin):
    """The page itself; a client that asks for JSON gets the document instead."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)
        # trim_blocks: the template's own lines leave no blank ones behind.
        environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        page = self._template.render(info=openapi_schema["info"], routes=list(routes_of(openapi_schema)))
        return page.encode()


def routes_of(document: dict[str, Any]) -> Iterator[Route]:
    """The operations of an OpenAPI document, in the order of their paths."""
    schemas = document.get("components", {}).get("schemas", {})
    for path, item in sorted(document["paths"].items()):
        for method, operation in item.items():
            yield Route(
                method=method.upper(),
                path=path,
                summary=operation.get("summary", ""),
                about=operation.get("description", ""),
                takes=[*_parameters(operation), *_body_fields(operation, schemas)],
                answers=[(code, answer.get("description", "")) for code, answer in operation["responses"].items()],
            )


def _parameters(operation: dict[str, Any]) -> Iterator[Field]:
    for one in operation.get("parameters", []):
        kind = f"{_kind(one.get('schema', {}))} ({one['in']})"
        yield Field(one["name"], kind, bool(one.get("required")), one.get("description", ""))


def _body_fields(operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Field]:
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = _resolved(content.get("schema", {}), schemas)
        for name, of in schema.get("properties", {}).items():
            yield Field(
                name, f"{_kind(of)} ({media_type})", name in schema.get("required", []), of.get("description", "")
            )


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = schemas.get(schema["$ref"].rsplit("/", 1)[-1], {})
        return found
    return schema


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return " | ".join(map(_kind, schema[choice]))
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")
