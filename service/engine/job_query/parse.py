"""Reads a query. What it cannot read is named in a sentence, each with the nearest that it can."""

from dataclasses import dataclass, field

from service.engine.job_query import keys
from service.engine.job_query.keys import Kind, kind_of, nearest
from service.engine.job_query.terms import WORD, Term, unquoted, values_of
from service.engine.job_query.values import read_length, read_moment, read_number
from service.lib.text import listed, with_stop

LENGTH_MAX = 2_000
TERMS_MAX = 40
VALUES_MAX = 100
"""Bounds of one query: what a person writes is far below, and each value is compared with each candidate."""


@dataclass(frozen=True)
class Parsed:
    """A query as it was read.

    `words` are bare words that no name explains: a job's id or a file's name, perhaps. `problems` are sentences about what was
    left out, and `gone` about names that are not declared (any more), whose terms are kept: jobs of them may still be there.
    """

    terms: tuple[Term, ...] = ()
    words: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass
class _Reading:
    terms: list[Term] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def parse(text: str) -> Parsed:
    """The terms of a query, and what is wrong with it."""
    if len(text) > LENGTH_MAX:
        return Parsed(problems=(f"The filter has {len(text):,} characters: {LENGTH_MAX:,} at most are read.",))
    found = _Reading()
    for sign, key, written, quoted, bare in WORD.findall(text):
        if key:
            _read_term(found, Term(keys.ALIASES.get(key.lower(), key.lower()), values_of(written), bool(sign)), key)
        elif quoted:
            found.words.append(unquoted(f'"{quoted}"'))
        elif bare:
            _read_bare(found, bare)
    if len(found.terms) > TERMS_MAX:
        return Parsed(problems=(f"The filter has {len(found.terms)} conditions: {TERMS_MAX} at most are read.",))
    terms = tuple(dict.fromkeys(found.terms))
    return Parsed(terms, tuple(found.words), tuple(found.problems), tuple(found.gone))


def check(term: Term) -> str | None:
    """A sentence about what is wrong with a term of a known key, or None."""
    kind = kind_of(term.key)
    if not term.values:
        return f"{term.key}: has no value."
    if len(term.values) > VALUES_MAX:
        return f"{term.key} has {len(term.values)} values: {VALUES_MAX} at most are read."
    if kind is Kind.CHOICE:
        known = keys.choices(term.key)
        return next((keys.no_such(term.key, value) for value in term.values if value not in known), None)
    try:
        for value in term.values:
            match kind:
                case Kind.MOMENT:
                    read_moment(value, 0)
                case Kind.DURATION:
                    read_length(value)
                case Kind.NUMBER:
                    read_number(value)
    except ValueError as error:
        return with_stop(f"{term.key}: {error}")
    return None


def _read_term(found: _Reading, term: Term, written_key: str) -> None:
    if kind_of(term.key) is None:
        close = nearest(term.key, [*keys.all_keys(), *keys.ALIASES])
        hint = f"do you mean {close}?" if close else f"there are {listed(keys.all_keys())}"
        found.problems.append(with_stop(f"There is no key {written_key[: keys.SHOWN]}: {hint}"))
        return
    problem = check(term)
    if problem and term.values and kind_of(term.key) is Kind.CHOICE and term.key in ("queue", "task"):
        found.gone.append(problem)
        problem = None
    if problem:
        found.problems.append(problem)
    else:
        found.terms.append(term)


def _read_bare(found: _Reading, word: str) -> None:
    for key in ("state", "queue", "task"):
        if word in keys.choices(key):
            found.terms.append(Term(key, (word,)))
            return
    key, colon, rest = word.lstrip("-").partition(":")
    if colon and kind_of(keys.ALIASES.get(key.lower(), key.lower())) is not None:
        found.problems.append(
            f"{key}: has no value." if not rest else f"The quotes or commas in {word[: keys.SHOWN]} do not match."
        )
    elif word.count('"') % 2:
        found.problems.append(f"The quotes in {word[: keys.SHOWN]} do not match.")
    else:
        found.words.append(word)
