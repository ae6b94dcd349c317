"""The bodies say what is written."""

import re

from service.api.schemas import AttemptBody
from service.engine.outcomes import AttemptOutcome


def test_the_outcomes_of_an_attempt_are_those_that_are_written() -> None:
    named = str(AttemptBody.__doc__).partition("`outcome` is ")[2]
    assert re.findall(r"\b(?!or\b)\w+", named) == [str(one) for one in AttemptOutcome]
