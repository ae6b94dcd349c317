"""The catalogue is whole: each message of the pages has a translation that fits, and none is left of a page that is gone."""

import pytest

from dashboard.translation.catalogue import catalogue, catalogue_file
from dashboard.translation.extraction import TEMPLATES, template_catalogue, updated
from dashboard.translation.messages import BadTranslation, read_translation
from dashboard.translation.source import units
from service.lib.languages import ENGLISH, LANGUAGES

OTHERS = [language for language in LANGUAGES if language != ENGLISH]

ADVICE = "`make translations` adds it to dashboard/translations; docs/translating.md says how it is written"


@pytest.mark.parametrize("language", OTHERS)
def test_each_message_of_a_page_has_a_translation(language: str) -> None:
    known = catalogue(language)
    missing = [
        f"{', '.join(path for path, _ in message.locations)}: {message.id}"
        for message in template_catalogue()
        if message.id and ((found := known.get(message.id)) is None or not found.string or found.fuzzy)
    ]
    assert missing == [], ADVICE


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_left_of_a_page_that_is_gone(language: str) -> None:
    used = {message.id for message in template_catalogue()}
    assert [message.id for message in catalogue(language) if message.id not in used] == [], ADVICE


@pytest.mark.parametrize("language", OTHERS)
def test_each_translation_has_the_values_and_the_tags_of_its_message(language: str) -> None:
    unfit = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        for unit in units(path.read_text()):
            found = catalogue(language).get(unit.message.text)
            try:
                read_translation(unit.message, str(found.string) if found else "")
            except BadTranslation as error:
                unfit.append(f"{path.name}:{unit.line}: {error}")
    assert unfit == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_update_keeps_every_translation(language: str) -> None:
    """`make translations` writes the file as it is committed, where no template has changed."""
    assert updated(language) == catalogue_file(language).read_bytes(), ADVICE
