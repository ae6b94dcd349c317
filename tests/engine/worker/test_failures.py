"""What an exception means for a job: which error counts, in which words, and whether and when it is tried again."""

import asyncio

import pytest

from service.engine.outcomes import AttemptOutcome, OutcomeKind
from service.engine.store import Job
from service.engine.worker.error_fingerprint import fingerprint
from service.engine.worker.failures import ERROR_MAX, attempt_entry, backoff_s, cause, failure, sentence
from tasks.sdk.errors import Permanent, RetryLater
from tests.engine import probe

TYPE = probe.probe_trouble


def job(attempt: int = 1, retries: int = 2) -> Job:
    return Job("j", TYPE.name, "thumbnails", attempt=attempt, retries=retries, worker="w")


def outcome_fields(fields: list) -> dict:
    return dict(zip(fields[::2], fields[1::2], strict=True))


async def in_a_group(error: Exception) -> BaseException:
    """What a task group makes of it."""

    async def go_wrong() -> None:
        raise error

    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(_nested(go_wrong))
    except BaseException as group:
        return group
    raise AssertionError


async def _nested(go_wrong) -> None:
    async with asyncio.TaskGroup() as inner:
        inner.create_task(go_wrong())


async def test_a_single_error_in_a_group_is_that_error_everywhere() -> None:
    group = await in_a_group(ValueError("page 3 is torn"))
    assert isinstance(group, ExceptionGroup)
    outcome = failure(job(attempt=3), TYPE, group)
    fields = outcome_fields(outcome.fields)
    assert outcome.kind is OutcomeKind.FAILED
    assert (fields["error"], fields["error_type"]) == ("ValueError: page 3 is torn", "ValueError")
    assert '"error":"ValueError: page 3 is torn"' in str(outcome.attempt)
    assert fields["fingerprint"] == failure_print(ValueError("page 7 is torn"), group)


def failure_print(alike: Exception, group: BaseException) -> str:
    """The fingerprint of an error like the one in the group, raised at the same place."""
    return fingerprint(alike.with_traceback(cause(group).__traceback__))


async def test_of_several_the_one_that_no_retry_can_mend_decides() -> None:
    permanent, passing, later = Permanent("no page"), ValueError("x"), RetryLater(5, "wait")
    assert cause(ExceptionGroup("", [passing, permanent])) is permanent
    assert cause(ExceptionGroup("", [later, passing])) is passing
    assert cause(ExceptionGroup("", [later, ExceptionGroup("", [later])])) is later
    assert failure(job(), TYPE, ExceptionGroup("", [passing, permanent])).kind is OutcomeKind.FAILED


def test_a_permanent_error_says_so_and_one_without_tries_does_not() -> None:
    permanent = outcome_fields(failure(job(), TYPE, Permanent("no page")).fields)
    used_up = outcome_fields(failure(job(attempt=3), TYPE, ValueError("x")).fields)
    assert (permanent["permanent"], used_up["permanent"]) == ("1", "")


def test_an_error_that_may_pass_is_tried_again_after_a_delay() -> None:
    outcome = failure(job(), TYPE, ValueError("x"))
    assert outcome.kind is OutcomeKind.RETRY and not outcome.timed_out
    assert 0 < outcome.delay_ms <= TYPE.backoff_s * 1000


def test_retry_later_spends_nothing_and_leaves_no_entry() -> None:
    outcome = failure(job(attempt=3), TYPE, RetryLater(7.5, "the peer asks for patience"))
    assert (outcome.kind, outcome.delay_ms, outcome.attempt) == (OutcomeKind.LATER, 7500, False)


def test_a_timeout_is_named_with_its_limit() -> None:
    outcome = failure(job(), TYPE, TimeoutError(), 60.0)
    assert outcome.timed_out and outcome_fields(outcome.fields)["error"] == "timed out after 60 s"
    assert attempt_entry(job(), AttemptOutcome.TIMEOUT)["outcome"] == "timeout"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Permanent("there is no page"), "there is no page"),
        (ValueError("bad\n  number"), "ValueError: bad number"),
        (ValueError(), "ValueError"),
        (Permanent(""), "Permanent"),
    ],
)
def test_sentences(error: Exception, words: str) -> None:
    assert sentence(error) == words


def test_a_sentence_is_bounded() -> None:
    assert len(sentence(ValueError("x" * 100_000))) <= ERROR_MAX + len("ValueError: ")


def test_backoff_doubles_up_to_its_cap_and_half_of_it_is_random() -> None:
    for tries in range(1, 20):
        ceiling = min(TYPE.backoff_max_s, TYPE.backoff_s * 2 ** (tries - 1))
        delays = {backoff_s(TYPE, tries) for _ in range(50)}
        assert all(ceiling / 2 <= delay <= ceiling for delay in delays) and len(delays) > 1


def test_an_entry_has_no_times_of_the_worker_s_clock() -> None:
    assert not {"started_ms", "finished_ms"} & attempt_entry(job(), AttemptOutcome.FAILED, ValueError("x")).keys()
    assert "traceback" not in attempt_entry(job(), AttemptOutcome.FAILED, Permanent("x"))


def test_bad_input_opens_no_breaker() -> None:
    bad, broken = failure(job(), TYPE, Permanent("blank")), failure(job(), TYPE, ConnectionError("no answer"))
    assert (bad.fingerprint, bad.problem) == (False, "")
    assert broken.fingerprint and broken.problem == "ConnectionError: no answer"
