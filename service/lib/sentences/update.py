"""Catalogues of sentences kept up with the code: `python -m service.lib.sentences.update`, which `make translations` runs.

New sentences are added without a translation, those that are gone are removed, and translations stay as they are.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from service.lib.languages import ENGLISH, LANGUAGES
from service.lib.sentences.places import EXTRA, LEFT_OUT, PHRASED

ROOT = Path(__file__).resolve().parents[3]

METHODS = {
    ".py": "service.lib.sentences.extraction:extract",
    ".lua": "service.lib.sentences.lua:extract",
    ".html": "jinja2.ext:babel_extract",
}

PAGES = "dashboard/"
"""Templates of this folder have a catalogue of their own, of another extractor."""

FOLDERS = (
    "settings/alert_faults.py",
    "settings/alert_rules.py",
    "settings/plans.py",
    "settings/schedules.py",
    "tasks",
    "service",
    "dashboard",
)

HEADER = """# Sentences of Offload: docs/translating.md.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def catalogue_file(language: str) -> Path:
    """Path of the catalogue of Offload's own sentences."""
    return ROOT / "service" / "translations" / language / "sentences.po"


def sentences() -> Iterator[tuple[str, str]]:
    """(message, path of its module) of every sentence in the code."""
    for folder in FOLDERS:
        place = ROOT / folder
        for path in [place] if place.is_file() else sorted(place.rglob("*.*")):
            name = path.relative_to(ROOT).as_posix()
            if (
                path.suffix not in METHODS
                or name.startswith(LEFT_OUT)
                or (path.suffix == ".html" and name.startswith(PAGES))
            ):
                continue
            with path.open("rb") as file:
                options = {} if path.suffix == ".html" else {"phrases": name.startswith(PHRASED)}
                for _, message, _, _ in extract(METHODS[path.suffix], file, options=options):
                    yield str(message), name
    for message in EXTRA:
        yield message, "service/lib/sentences/places.py"


def updated(language: str) -> tuple[bytes, list[str]]:
    """The catalogue of a language as it has to be, and the messages in it that lack a translation."""
    with catalogue_file(language).open("rb") as file:
        known = read_po(file, locale=language)
    result = Catalog(locale=language, fuzzy=False, charset="utf-8")
    for message, name in sentences():
        old = known.get(message)
        result.add(message, old.string if old is not None else "", locations=[(name, 0)])
    text = io.BytesIO()
    write_po(text, result, width=120, sort_by_file=True, omit_header=True, include_lineno=False)
    missing = [str(message.id) for message in result if message.id and not message.string]
    return HEADER.format(language=language).encode() + text.getvalue(), missing


def main() -> int:
    """Returns 1 while a sentence lacks its translation."""
    lacking = 0
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        content, missing = updated(language)
        catalogue_file(language).write_bytes(content)
        lacking += len(missing)
        print(f"{catalogue_file(language).relative_to(ROOT)}: {len(missing)} sentences without a translation")
        for message in missing:
            print(f"  {message}")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
