"""The catalogue of the dashboard's pages, `dashboard/translations/<language>/pages.po`, read once for each process."""

from functools import cache
from pathlib import Path

import structlog
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from dashboard.translation.messages import BadTranslation, Item, Message, read_translation
from service.lib.languages import ENGLISH, LANGUAGES, current_language

FOLDER = Path(__file__).resolve().parents[1] / "translations"

log = structlog.get_logger("offload.dashboard")


def catalogue_file(language: str) -> Path:
    """Path of a language's catalogue."""
    return FOLDER / language / "pages.po"


@cache
def catalogue(language: str) -> Catalog:
    """The catalogue of a language; raises OSError where there is none."""
    with catalogue_file(language).open("rb") as file:
        return read_po(file, locale=language)


def prepare() -> None:
    """Read the catalogues of all languages now: at the first page in a language it would hold up the event loop."""
    for language in LANGUAGES:
        if language != ENGLISH:
            catalogue(language)


def text_of(language: str, text: str) -> str:
    """The text in a language; itself where the catalogue has none for it."""
    found = catalogue(language).get(text)
    return str(found.string) if found is not None and found.string and not found.fuzzy else text


def parts_in(language: str, message: Message) -> list[Item]:
    """A unit's parts in a language. A text that does not fit is left out, with a line in the log: the English is shown."""
    try:
        return read_translation(message, text_of(language, message.text))
    except BadTranslation as error:
        log.error("translation.unfit", language=language, error=str(error))
        return read_translation(message, message.text)


def named(word: str) -> str:
    """A word that comes from a value, such as a job's outcome, in the current language. `words.py` lists them."""
    language = current_language()
    return text_of(language, word) if word and language != ENGLISH else word
