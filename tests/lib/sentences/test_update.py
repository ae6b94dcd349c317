"""The catalogues of sentences hold every sentence of the code, each with its translation."""

import re
from functools import cache

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from service.lib.languages import ENGLISH, LANGUAGES
from service.lib.sentences.places import UNITS
from service.lib.sentences.update import catalogue_file, sentences
from tasks.sdk.types import REGISTRY

COMMAND = "run `make translations`, and write the translation into"

HOLE = re.compile(r"(?<!\{)\{\w+\}|%\(\w+\)s")
"""Values of sentences, and of templates."""

AMOUNT = re.compile(
    r"\{(\w+)\} ((?:job|message|row|page|word|document|file|recipient|worker|slot|day|hour|minute|second|byte)s|tries)\b"
)
"""A value with a noun in the plural."""

NEVER_ONE = re.compile(
    r"^type$|^hours$|^minutes$|body|max|limit|most|days|at_once|timeout|bytes|size|largest|free|lookup|total|wait_s|candidates|filled|pages_n|seconds_n|seen"
)
"""Values before such a noun that are never 1: limits, sizes, and counts that are above one."""

OF_ONE = {
    "Every {every_s} minutes": "Every minute",
    "Every {every_s} seconds": "Every second",
    "Ready in about {count} minutes": "Ready in about a minute",
    "Ready in about {count} hours": "Ready in about {count} minutes",
    "given up after {tries} tries: {text}": "given up after {tries} tries: {text}",
    "{jobs_number} jobs in a row failed: {error}": "1 job failed: {error}",
    "{left_number} messages wait": "1 message waits",
    "{count} jobs were completed with pages or parts that are missing or doubtful": (
        "1 job was completed with pages or parts that are missing or doubtful"
    ),
    "{jobs_number} jobs in a row": "{count_number} job",
}
"""Sentences about one, where they have other words; the second try is never the last one."""

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


def test_each_amount_has_its_singular() -> None:
    """Not "1 jobs": `counted(n, "job")`, or a sentence of its own for one."""
    known = {message for message, _ in found_sentences()}
    lacking = set()
    for message in known:
        for value, nouns in AMOUNT.findall(message):
            noun = "try" if nouns == "tries" else nouns[:-1]
            ones = {message.replace(f"{{{value}}} {nouns}", one) for one in (f"{{{value}}} {noun}", f"1 {noun}")}
            ones |= {one.replace(f"{noun} in a row", noun) for one in ones} | {OF_ONE.get(message, "")}
            if not NEVER_ONE.search(value) and not ones & known:
                lacking.add(message)
    assert lacking == set()
    assert OF_ONE.keys() | set(OF_ONE.values()) <= known, "one of them is gone"


def test_the_unit_of_each_job_type_has_its_words() -> None:
    own = {job_type.unit for job_type in REGISTRY.values() if job_type.function.__module__.startswith("tasks.")}
    assert {"page", "row"} <= own <= set(UNITS)
