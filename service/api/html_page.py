"""A page of the API itself, such as the guide to errors: one template, in the language that the reader's browser asks for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from litestar import Response

from service.lib.languages import current_language, gettext, ngettext, reader
from service.lib.sentences.recogniser import shown


class HtmlPage:
    """A template next to its module, read once. Its own words stand in `_()`, and sentences of code pass the filter `shown`.

    Its router needs the middleware ReadersLanguage, which sets the language and the headers that tell caches of it.
    """

    def __init__(self, template: Path) -> None:
        environment = Environment(
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's
        environment.filters["shown"] = shown
        environment.globals["current_language"] = current_language
        self._template = environment.from_string(template.read_text(encoding="utf-8"))

    def response(self, headers: Mapping[str, str], status_code: int = 200, **values: Any) -> Response[str]:
        """The page with these values in it."""
        reader().consulted = True
        html = self._template.render(values)
        return Response(html, status_code=status_code, media_type="text/html", headers=dict(headers))
