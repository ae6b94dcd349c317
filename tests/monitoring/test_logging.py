"""Lines of the log."""

import time
from datetime import UTC, datetime

import pytest

from service.monitoring.logging import stamped


@pytest.mark.parametrize(
    "moment_ns", [1_700_000_000_000_001_000, 1_700_000_000_000_002_999, 1_700_000_000_999_999_999, 0]
)
def test_the_time_of_a_line_is_in_utc_to_the_microsecond(moment_ns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: moment_ns)
    written = stamped(None, "info", {})["timestamp"]
    assert len(written) == len("2023-11-14T22:13:20.000001Z")
    seconds, nanos = divmod(moment_ns, 1_000_000_000)
    assert datetime.fromisoformat(written) == datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1000)
