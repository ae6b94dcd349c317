"""The catalogues of sentences hold every sentence of the code, each with its translation."""

import re
from functools import cache

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from service.lib.languages import ENGLISH, LANGUAGES
from service.lib.sentences.update import catalogue_file, sentences

COMMAND = "run `make translations`, and write the translation into"

HOLE = re.compile(r"(?<!\{)\{\w+\}|%\(\w+\)s")
"""Values of sentences, and of templates."""

OTHERS = [language for language in LANGUAGES if language != ENGLISH]


@cache
def found_sentences() -> list[tuple[str, str]]:
    return list(sentences())


def catalogue(language: str) -> Catalog:
    with catalogue_file(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_has_its_translation(language: str) -> None:
    known = catalogue(language)
    missing = {
        f"{name}: {message!r}"
        for message, name in found_sentences()
        if (found := known.get(message)) is None or not found.string or found.fuzzy
    }
    assert not missing, f"{COMMAND} {catalogue_file(language).name} ({language}): {sorted(missing)}"


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_of_a_sentence_that_is_gone(language: str) -> None:
    there = {message for message, _ in found_sentences()}
    gone = [message.id for message in catalogue(language) if message.id and message.id not in there]
    assert not gone, f"{COMMAND} nothing: {gone}"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_values_of_its_sentence(language: str) -> None:
    wrong = [
        (message.id, message.string)
        for message in catalogue(language)
        if message.id and sorted(HOLE.findall(str(message.id))) != sorted(HOLE.findall(str(message.string)))
    ]
    assert wrong == []
    assert sum(1 for message in catalogue(language) if message.id) > 1_000
