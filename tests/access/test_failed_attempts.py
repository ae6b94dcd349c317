"""Throttle of failed credentials, over a real Redis and a real audit log."""

from collections.abc import AsyncIterator

import pytest

from service.access import failed_attempts
from service.access.failed_attempts import WINDOW_S, Attempt, FailedAttempts, Kind, TooManyFailures, network_of
from service.database import open_database
from service.engine.redis.client import Client, connect
from service.monitoring.audit_log import Audit, AuditFilter

LIMIT = 3


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(failed_attempts, "monotonic", clock)
    return clock


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Client]:
    client = connect(redis_url)
    yield client
    await client.aclose(close_connection_pool=True)


@pytest.fixture
async def audit(sqlite_url: str) -> AsyncIterator[Audit]:
    async with open_database(sqlite_url) as database:
        audit = Audit(database)
        yield audit
        await audit.close()


@pytest.fixture
def attempts(clock: Clock, redis: Client, audit: Audit) -> FailedAttempts:
    return FailedAttempts(redis, audit, b"the secret of an installation", LIMIT)


def key(secret: str, address: str = "192.0.2.1") -> Attempt:
    return Attempt(Kind.API_KEY, address, secret)


def password(secret: str, address: str = "192.0.2.1", user: str = "ada") -> Attempt:
    return Attempt(Kind.PASSWORD, address, secret, user=user, known=user == "ada")


def fail(attempts: FailedAttempts, *wrong: Attempt) -> None:
    for one in wrong:
        attempts.check(one)
        attempts.failed(one)


async def test_an_address_is_refused_after_so_many_different_keys_until_a_minute_has_passed(
    attempts: FailedAttempts, clock: Clock
) -> None:
    fail(attempts, key("a"), key("b"), key("c"))
    with pytest.raises(TooManyFailures, match="try again in 60 seconds") as refused:
        attempts.check(key("d"))
    assert refused.value.retry_after_s == WINDOW_S
    attempts.check(key("d", "192.0.2.2"))
    clock.now_s += WINDOW_S
    attempts.check(key("d"))


async def test_a_client_that_repeats_one_wrong_key_is_refused_alone(attempts: FailedAttempts) -> None:
    fail(attempts, *[key("a")] * LIMIT * failed_attempts.REPEATS_PER_LIMIT)
    with pytest.raises(TooManyFailures):
        attempts.check(key("a"))
    attempts.check(key("its neighbour's"))


async def test_a_key_that_was_valid_passes_from_a_refused_address(attempts: FailedAttempts) -> None:
    attempts.succeeded(key("good"))
    fail(attempts, key("a"), key("b"), key("c"))
    attempts.check(key("good"))
    # Revoked since: the next one is not looked at either.
    attempts.failed(key("good"))
    with pytest.raises(TooManyFailures):
        attempts.check(key("good"))


async def test_guesses_from_many_addresses_do_not_lock_the_user_out_of_its_own(attempts: FailedAttempts) -> None:
    attempts.succeeded(password("right", "198.51.100.7"))
    fail(attempts, *(password(f"guess {n}", f"192.0.2.{n}") for n in range(LIMIT)))
    with pytest.raises(TooManyFailures):
        attempts.check(password("another", "192.0.2.99"))
    attempts.check(password("mistyped", "198.51.100.7"))
    attempts.check(password("another", "192.0.2.99", user="eve"))


async def test_the_right_password_is_not_found_by_the_guess_that_passes(attempts: FailedAttempts) -> None:
    attempts.succeeded(password("right", "198.51.100.7"))
    fail(attempts, *(password(f"guess {n}", f"192.0.2.{n}") for n in range(LIMIT)))
    with pytest.raises(TooManyFailures):
        attempts.check(password("right", "192.0.2.99"))
    attempts.check(password("right", "198.51.100.7"))


async def test_guesses_behind_the_users_own_address_come_to_an_end(attempts: FailedAttempts, clock: Clock) -> None:
    attempts.succeeded(password("right"))
    fail(attempts, password("a"), password("b"), password("c"))
    for n in range(LIMIT * failed_attempts.REPEATS_PER_LIMIT):
        attempts.check(password("right"))
        with pytest.raises(TooManyFailures):
            attempts.check(password(f"guess {n}"))
    with pytest.raises(TooManyFailures):
        attempts.check(password("right"))
    clock.now_s += WINDOW_S
    attempts.check(password("right"))


async def test_processes_share_what_they_count(clock: Clock, redis: Client, audit: Audit) -> None:
    one, other = (FailedAttempts(redis, audit, b"the secret of an installation", LIMIT) for _ in range(2))
    fail(one, key("a"), key("b"))
    await one.close()
    fail(other, key("c"))
    await other.close()
    with pytest.raises(TooManyFailures):
        other.check(key("d"))
    await other.close()
    counts = await one.counts()
    assert (counts["api-key", "refused"], counts["api-key", "throttled"], counts["password", "refused"]) == (3, 1, 0)
    kept = {name: await redis.smembers(name) for name in await redis.keys("offload:failed:*")}
    assert len(kept) == 1 and b"192.0.2.1" not in str(kept).encode()
    assert 0 < await redis.ttl(next(iter(kept))) <= WINDOW_S


async def test_the_first_and_the_last_of_a_window_stand_in_the_audit_log(
    attempts: FailedAttempts, audit: Audit
) -> None:
    fail(attempts, password("a"), password("b", user="my secret, typed into the wrong field"), password("c"))
    await audit.close()
    lines = (await audit.page(AuditFilter(target="192.0.2.1"))).events
    found = [(line.actor, line.action, line.outcome) for line in lines]
    assert ("ada", "credential.refused", "refused") in found and ("ada", "credential.throttled", "refused") in found
    assert "my secret" not in str([vars(line) for line in lines])
    await attempts.close()


async def test_a_stranger_cannot_fill_the_audit_log(attempts: FailedAttempts, audit: Audit) -> None:
    for n in range(failed_attempts.TRACED_PER_WINDOW + 10):
        attempts.failed(key("a", f"10.0.0.{n}"))
    assert len(audit.waiting) == failed_attempts.TRACED_PER_WINDOW
    await attempts.close()


def test_an_ipv6_customer_is_its_network() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("192.0.2.1") == "192.0.2.1" and network_of("") == ""
