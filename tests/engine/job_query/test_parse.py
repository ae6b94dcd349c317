"""The language: what is read, and each mistake in one sentence with the nearest that is known."""

import pytest

from service.engine.job_query import Term, as_text, parse


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("state:failed", [Term("state", ("failed",))]),
        ("status:failed type:pdf-ocr", [Term("state", ("failed",)), Term("task", ("pdf-ocr",))]),
        ("state:failed,cancelled -queue:media", [Term("state", ("failed", "cancelled")), Term("queue", ("media",), True)]),
        ('error:"disk is full","no, space"', [Term("error", ("disk is full", "no, space"))]),
        (r'error:"he said \"no\""', [Term("error", ('he said "no"',))]),
        ("failed csv-export pdf-ocr", [Term("state", ("failed",)), Term("queue", ("csv-export",)), Term("task", ("pdf-ocr",))]),
        ("created:2026-11-01..2026-11-05", [Term("created", ("2026-11-01..2026-11-05",))]),
        ("created:2026-11-01T12:00:00+02:00", [Term("created", ("2026-11-01T12:00:00+02:00",))]),
        ("took:>1h30m", [Term("took", (">1h30m",))]),
        ("worker:csv-export@host:7", [Term("worker", ("csv-export@host:7",))]),
        ("tag:incomplete tag:incomplete", [Term("tag", ("incomplete",))]),
        ("", []),
    ],
)  # fmt: skip
def test_terms_are_read_and_written_alike(text: str, terms: list[Term]) -> None:
    found = parse(text)
    assert (list(found.terms), found.problems, found.words, found.gone) == (terms, (), (), ())
    assert parse(as_text(found.terms)) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("stat:failed", "There is no key stat: do you mean state?"),
        ("state:fialed", "There is no state fialed: do you mean failed?"),
        ("priority:urgent", "There is no priority urgent: there are high, normal and low."),
        ("took:30s", "took: 30s needs a sign or a range: >30s, <30s or 30s..1h."),
        ("took:>soon", "took: soon is not a length of time: write one such as 30s, 5m, 1h30m or 2d."),
        ("attempt:>many", "attempt: many is not a whole number: write one such as 2, >1 or 1..3."),
        ("created:2026-11-05..2026-11-01", "created: the range 2026-11-05..2026-11-01 ends before it begins."),
        ("created:2026-13-01", "created: 2026-13-01 is not a time: write one such as 2h (two hours ago), 2026-11-01"),
        ("created:..", "created: a range needs a begin or an end, such as 1..3, 1.. or ..3."),
        ("created:>99999999d", "created: 99999999d is more than a century."),
        ('error:"disk is full', 'The quotes or commas in error:"disk do not match.'),
        ("state:", "state: has no value."),
        ('state:""', "state: has no value."),
        ("owner:" + "x" * 2_000, "The filter has 2,006 characters: 2,000 at most are read."),
        (" ".join(f"owner:{n}" for n in range(41)), "The filter has 41 conditions: 40 at most are read."),
    ],
)
def test_a_mistake_is_named_in_one_sentence(text: str, sentence: str) -> None:
    found = parse(text)
    assert found.problems and found.problems[0].startswith(sentence), found.problems


def test_names_that_are_gone_are_named_and_kept() -> None:
    found = parse("queue:csv-exporrt -task:old-type")
    assert found.terms == (Term("queue", ("csv-exporrt",)), Term("task", ("old-type",), True))
    assert found.gone[0] == "There is no queue csv-exporrt: do you mean csv-export?" and len(found.gone) == 2


def test_words_that_no_name_explains_are_returned() -> None:
    assert parse('lease.pdf "two words.pdf" http://x').words == ("lease.pdf", "two words.pdf")
    (problem,) = parse("http://x").problems
    assert problem.startswith("There is no key http: there are state, queue, task, ")
