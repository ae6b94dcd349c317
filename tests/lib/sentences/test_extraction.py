"""Sentences of the code become messages, with no mark where they are written."""

import pytest

from service.lib.sentences import lua
from service.lib.sentences.extraction import messages


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise Gone(f"there is no job {job_id}")', ["there is no job {job_id}"]),
        ('FieldError("cursor", f"{name[:9]} needs {number(len(values))} values")', ["{name} needs {values_number} values"]),
        ('run.stage(3, f"Reading page {page + 1:,}")', ["Reading page {page_number}"]),
        ('TEXT = "Page {done} of {total:,} is done."', ["Page {done} of {total_number} is done."]),
        ('raise Bad("it has " f"{a.size} and " + str(b.size))', ["it has {size} and {size2}"]),
        ('raise Bad(f"{n} page{\'\' if n == 1 else \'s\'} left")', ["{n} page left", "{n} pages left"]),
        (
            'def f(n):\n end = f", at {n} o\'clock" if n else ""\n raise Bad(f"It ends{end}.")',
            ["It ends, at {n} o'clock.", "It ends."],
        ),
        ('def f(s):\n s = f"{s} Try again."\n raise Bad(s or "Not sent.")', ["Not sent.", "{s} Try again."]),
        ('raise Bad(f"{name}{kind} cannot be read")', ["{name} cannot be read"]),
        ('raise Bad(f"a brace {{}} of {x}")', ["a brace {{}} of {x}"]),
        ('@job(queue=Q)\nasync def read(payload, run):\n """Read {a} thing."""', ["Read {{a}} thing."]),
    ],
)  # fmt: skip
def test_a_sentence_is_found_in_each_form(code: str, found: list[str]) -> None:
    assert sorted(one.message for one in messages(code)) == sorted(found)


@pytest.mark.parametrize(
    "code",
    [
        '"""A docstring is a sentence."""',
        'log.info("A line of the log is not shown.")',
        'connection.execute("SELECT a FROM b WHERE c.")',
        'post("/jobs", description="Is in the document of the API.")',
        'raise KeyError("a-name-with-dashes")',
        'if text == "It is compared only.": pass',
        'raise Bad(f"{name}: {sentence}")',
        'async def read(payload, run):\n """Read a thing, in a function that is not a job type."""',
    ],
)
def test_what_no_person_reads_is_none(code: str) -> None:
    assert messages(code) == []


def test_phrases_are_found_where_they_are_asked_for() -> None:
    code = 'def f(n): return f"in about {duration(n)}" if n else "nothing waits"'
    assert messages(code) == []
    assert [one.message for one in messages(code, phrases=True)] == ["in about {n_duration}", "nothing waits"]


def test_messages_of_scripts_are_found() -> None:
    script = """finish(j, 'cancelled', {'message', 'Cancelled', 'crashes', 0})
    call('HSET', key, 'message', 'Goes on: the event ' .. event.name .. ' has come')
    fields = {'message', 'It fails: ' .. (outcome.problem or '')}
    call('HSET', key, 'message', message)"""
    assert lua.messages(script) == ["Cancelled", "Goes on: the event {name} has come", "It fails: {problem}"]
