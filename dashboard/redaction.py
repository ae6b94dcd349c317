"""Redaction of a rendered page: a user without the right to personal data is shown none, whatever text carries it.

Fields that are known to be personal are masked where they are shown. This is the second line: an error, a log line or a traceback
may repeat a payload's value, a document's name or an address, and no view can know all the texts that do.
"""

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from litestar import MediaType, Request, Response
from litestar.response import Template
from markupsafe import escape

from dashboard.jobs.masking import MASK, hidden_values
from dashboard.operations.selection import personal_parts
from service.database import Document
from service.database.audit import Event
from service.engine.store import Job
from service.engine.store.bulk_operations import Operation
from service.monitoring.changes import Change

EMAIL = re.compile(r"[\w.+-]+(?:@|%40|&#64;)[\w-]+(?:\.[\w-]+)+")

TAG = re.compile(r"(<[^<>]*>)")
SPOKEN = re.compile(r'(\s(?:title|alt|aria-label|value|placeholder|content)=")([^"]*)(")')
"""Attributes that a reader is shown, or hears."""

VALUE_MIN = 3
"""Characters: to mask what is shorter would tear up ordinary words."""

NODES_MAX = 20_000
"""Objects of a context that are looked through: a page of a thousand jobs has fewer."""


class RedactedTemplate(Template):
    """A template whose text is redacted once it is rendered."""

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **options: Any) -> Any:
        """As its base."""
        template = request.app.template_engine.get_template(self.template_name)  # type: ignore[union-attr]  # it is set
        html = template.render(**self.create_template_context(request))
        page = Response(
            redacted(html, personal_values(self.context), own=request.user.name),
            status_code=self.status_code,
            headers=self.headers,
            cookies=self.cookies,
            media_type=MediaType.HTML,
        )
        return page.to_asgi_response(app, request, **options)


def redacted(html: str, values: Iterable[str], own: str = "") -> str:
    """The page with addresses of mail and the given values masked, in its text and in attributes that are shown."""
    forms = {form for value in values for form in _forms(value)}
    longest_first = sorted(map(re.escape, forms), key=len, reverse=True)
    known = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)") if longest_first else None

    def addresses(text: str) -> str:
        return EMAIL.sub(lambda found: found[0] if found[0] == own else MASK, text)

    def mask(text: str) -> str:
        text = addresses(text)
        return known.sub(MASK, text) if known else text

    def in_tag(tag: str) -> str:
        tag = SPOKEN.sub(lambda found: found[1] + mask(found[2]) + found[3], tag)
        return addresses(tag)

    parts = TAG.split(html)
    # Every second part is a tag.
    return "".join(in_tag(part) if place % 2 else mask(part) for place, part in enumerate(parts))


def personal_values(context: Any) -> set[str]:
    """Texts that are personal among all that a page was rendered from: of jobs, documents, lines of the audit log and the
    filters of operations on many jobs."""
    found: set[str] = set()
    for one in _objects(context):
        match one:
            case Job():
                found.update(hidden_values(one))
            case Document():
                found.add(one.name)
            case Event():
                found.add(one.address or "")
                found.add(one.target_id if one.target_type == "address" else "")
                found.update(personal_parts(one.detail or "") if one.target_type == "operation" else ())
            case Operation():
                found.update(personal_parts(one.words))
            case Change():
                found.update(personal_parts(one.words) if one.link.startswith("/admin/operations/") else ())
    return {value for value in found if len(value) >= VALUE_MIN}


def _objects(context: Any) -> Iterator[Any]:
    waiting, seen = [context], set[int]()
    while waiting and len(seen) < NODES_MAX:
        one = waiting.pop()
        if one is None or isinstance(one, str | bytes | int | float) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple | set | frozenset):
            waiting.extend(one)
        elif dataclasses.is_dataclass(one) and not isinstance(one, type):
            waiting.extend(getattr(one, field.name) for field in dataclasses.fields(one))


def _forms(value: str) -> set[str]:
    """As HTML writes it: as it is, and within JSON or a Python literal."""
    return {str(escape(form)) for form in (value, json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])}
