"""Languages in which people read Offload: the one that a reader wants, and the catalogues of its texts (GNU gettext).

The code is English. A catalogue is `translations/<language>/<name>.po`, read by Babel the first time that its language is
wanted. What a text is shown in is the language of the current request or mail (`current_language`): a context variable, so
that requests served at the same time do not mix.
"""

import contextlib
import importlib.util
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import structlog
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.support import Translations

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
"""Codes, with the name of each in itself. The first is that of the texts in the code, and of readers who want no other."""

ENGLISH = "en"

TAGS_MAX = 50
"""Tags of a header that are read: browsers send fewer than ten."""


@dataclass
class Reader:
    """Reader of a request. `consulted` once a text was shown that another language may have in other words."""

    language: str = ENGLISH
    consulted: bool = False


_current: ContextVar[Reader] = ContextVar("offload_reader", default=Reader())  # noqa: B039  # only ever English

_folders: list[Path] = [Path(__file__).parents[1] / "translations"]

log = structlog.get_logger("offload.languages")


def reader() -> Reader:
    """The reader of this request; outside of one, a reader of English."""
    return _current.get()


def current_language() -> str:
    """Code of the language that texts are shown in, here and now."""
    return _current.get().language


def use_language(language: str) -> Reader:
    """Show texts in a language from here to the end of this request. An unknown one is English."""
    found = Reader(language if language in LANGUAGES else ENGLISH)
    _current.set(found)
    return found


@contextlib.contextmanager
def in_language(language: str) -> Iterator[None]:
    """Show texts in a language for a while, such as for one mail. An unknown one is English."""
    token = _current.set(Reader(language if language in LANGUAGES else ENGLISH))
    try:
        yield
    finally:
        _current.reset(token)


@lru_cache(maxsize=1024)
def language_of(accept_language: str, wanted: str = "") -> str:
    """The language of LANGUAGES that a reader wants: `wanted` if it is one, else the best of an Accept-Language header."""
    if wanted in LANGUAGES:
        return wanted
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language.split(",")[:TAGS_MAX]):
        tag, _, parameter = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language == "*":
            language = ENGLISH
        if language in LANGUAGES and (quality := _quality(parameter)) > 0:
            ranked.append((-quality, place, language))
    return min(ranked)[2] if ranked else ENGLISH


def _quality(parameter: str) -> float:
    """Weight of `q=0.8`; 1 without one, 0 where it cannot be read."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if math.isfinite(weight) else 0.0


def add_translations(folder: Path) -> None:
    """Read the catalogues of a folder too, such as those of a package of job types. The first text found counts."""
    if folder not in _folders:
        _folders.append(folder)
        forget()


def add_translations_of(modules: Iterable[str]) -> None:
    """Read the catalogues that packages bring, `translations/<language>/*.po` next to their module. Before any text is shown."""
    for name in modules:
        spec = importlib.util.find_spec(name)
        folder = Path(spec.origin).parent / "translations" if spec is not None and spec.origin else None
        if folder is not None and folder.is_dir():
            add_translations(folder)


def forget() -> None:
    """Read the catalogues again when they are next wanted."""
    for one in (catalogues, translations, _translated):
        one.cache_clear()


def catalogue_files(language: str) -> list[Path]:
    """Paths of a language's catalogues, in the order in which they count."""
    return [path for folder in _folders for path in sorted((folder / language).glob("*.po"))]


@cache
def catalogues(language: str) -> tuple[Catalog, ...]:
    """The catalogues of a language. One that cannot be read is left out, with a line in the log."""
    found = []
    for path in catalogue_files(language):
        try:
            with path.open("rb") as file:
                found.append(read_po(file, locale=language, domain=path.stem, abort_invalid=True))
        except (OSError, ValueError, PoFileError) as error:
            log.error("catalogue.unreadable", path=str(path), error=str(error))
    return tuple(found)


@cache
def translations(language: str) -> Translations:
    """The texts of all catalogues of a language, for `gettext`, `ngettext` and `pgettext`."""
    merged = Translations()
    for catalogue in reversed(catalogues(language)):
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        merged.merge(Translations(compiled, domain=catalogue.domain or Translations.DEFAULT_DOMAIN))
    return merged


@cache
def _translated(texts: tuple[tuple[str, str], ...], language: str) -> Mapping[str, str]:
    found = translations(language)
    return {name: found.ugettext(text) for name, text in texts}


def translated(texts: Mapping[str, str], language: str) -> Mapping[str, str]:
    """Texts by their names, in a language."""
    return texts if language == ENGLISH else _translated(tuple(texts.items()), language)


def gettext(text: str) -> str:
    """A text in the current language; in English where there is none for it."""
    language = current_language()
    return text if language == ENGLISH else translations(language).ugettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """A text for a number of things, in the current language's own plural."""
    language = current_language()
    return (one if count == 1 else many) if language == ENGLISH else translations(language).ungettext(one, many, count)


def pgettext(context: str, text: str) -> str:
    """A text that has another translation in another context."""
    language = current_language()
    return text if language == ENGLISH else str(translations(language).upgettext(context, text))


def npgettext(context: str, one: str, many: str, count: int) -> str:
    """A text for a number of things, in a context."""
    language = current_language()
    if language == ENGLISH:
        return one if count == 1 else many
    return str(translations(language).unpgettext(context, one, many, count))
