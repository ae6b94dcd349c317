"""Loading templates in a language: a template is translated once, when it is compiled."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from dashboard.translation.catalogue import parts_in
from dashboard.translation.source import translated, unmarked
from service.lib.languages import ENGLISH


class TranslatedLoader(FileSystemLoader):
    """Templates of a folder in a language."""

    def __init__(self, folder: Path, language: str) -> None:
        super().__init__(folder)
        self.language = language

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """As its base, translated."""
        source, name, uptodate = super().get_source(environment, template)
        if self.language == ENGLISH:
            return unmarked(source), name, uptodate
        return translated(source, partial(parts_in, self.language)), name, uptodate
