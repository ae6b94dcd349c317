"""The clock follows the queue server's, whatever this machine's own shows."""

import time

from service.lib.clock import ServerClock


def test_before_the_first_reply_it_is_this_machines_own() -> None:
    assert abs(ServerClock().now_ms() - time.time() * 1000) < 60_000


def test_it_shows_the_servers_time_once_it_has_been_read() -> None:
    clock = ServerClock()
    clock.sync(1_000_000.0, time.monotonic())
    assert 1_000_000 <= clock.now_ms() < 1_060_000


def test_a_slow_reply_counts_only_while_there_is_none_better() -> None:
    clock = ServerClock()
    clock.sync(5_000_000.0, time.monotonic() - 10)
    assert clock.now_ms() > 5_004_000, "the server's time is taken for the middle of the request"
    clock.sync(1_000_000.0, time.monotonic())
    clock.sync(9_000_000.0, time.monotonic() - 10)
    assert clock.now_ms() < 2_000_000
