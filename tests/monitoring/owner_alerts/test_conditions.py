"""Steps of an address: what is due, what is collected, and what is not told twice."""

from collections.abc import Sequence

from service.monitoring.owner_alerts.conditions import CONDITIONS, News, Progress, Reading, Use, counted, step

HOUR_MS = 3_600_000
MINUTE_MS = 60_000


def ends(failed: int = 0, incomplete: int = 0, since: int = 0) -> dict[str, str]:
    """Fields as the scripts have written them after so many ends; ids of those up to `since` are gone."""
    fields = {"failed": str(failed), "incomplete": str(incomplete)}
    for kind, count in (("failed", failed), ("incomplete", incomplete)):
        fields |= {f"{kind}:{number % 10}": f"{kind}-{number}" for number in range(since + 1, count + 1)}
    return fields


def taken(
    progress: Progress,
    at_ms: int,
    fields: dict[str, str] | None = None,
    conditions: Sequence[str] = CONDITIONS,
    **more: object,
) -> News | None:
    reading = Reading(at_ms, {"": fields} if fields is not None else {}, **more)  # type: ignore[arg-type]  # by name
    return step(progress, conditions, HOUR_MS, 30 * MINUTE_MS, reading)


def test_ten_thousand_failures_are_two_messages_an_hour_apart_and_each_is_counted_once() -> None:
    progress = Progress()
    first = taken(progress, 0, ends(failed=1))
    assert first and first.failed == 1 and first.ids == {"failed": ["failed-1"]}
    assert [taken(progress, at, ends(failed=at // 300)) for at in range(10_000, HOUR_MS, 600_000)] == [None] * 6
    second = taken(progress, HOUR_MS, ends(failed=10_001))
    assert second and second.failed == 10_000
    assert second.ids["failed"] == [f"failed-{number}" for number in range(10_001, 9_991, -1)]
    assert taken(progress, 9 * HOUR_MS, ends(failed=10_001)) is None


def test_what_an_address_does_not_want_is_not_told() -> None:
    progress = Progress()
    assert taken(progress, 0, ends(failed=3, incomplete=2), ["waiting"]) is None
    news = taken(progress, 0, ends(failed=3, incomplete=2), ["incomplete"])
    assert news and (news.failed, news.incomplete) == (0, 2)


def test_numbers_of_several_servers_are_added_and_a_silent_one_is_told_of_later() -> None:
    progress = Progress(seen=counted({"": ends(failed=4), "large": ends(failed=1)}))
    both = step(progress, ["failed"], HOUR_MS, 0, Reading(0, {"": ends(failed=5), "large": ends(failed=3)}))
    assert both and both.failed == 3 and both.ids["failed"] == ["failed-5", "failed-3", "failed-2"]
    assert step(progress, ["failed"], HOUR_MS, 0, Reading(HOUR_MS, {"": ends(failed=5)}, whole=False)) is None
    late = step(progress, ["failed"], HOUR_MS, 0, Reading(2 * HOUR_MS, {"": ends(failed=5), "large": ends(failed=4)}))
    assert late and late.failed == 1


def test_a_server_that_has_lost_its_data_counts_from_the_beginning() -> None:
    progress = Progress(seen={"": {"failed": 500}})
    news = taken(progress, 0, ends(failed=2))
    assert news and news.failed == 2 and progress.seen == {"": {"failed": 2}}


def test_a_limit_is_told_as_it_comes_near_and_as_it_is_reached_and_again_after_it_has_fallen() -> None:
    progress = Progress()

    def at(hour: int, used: int) -> list[tuple[int, int]]:
        news = taken(progress, hour * HOUR_MS, use=[Use("queued_jobs", used, 100)])
        return [(one.level, one.used) for one in news.limits] if news else []

    assert [at(0, 79), at(1, 80), at(2, 85), at(3, 75), at(4, 90)] == [[], [(1, 80)], [], [], []]
    assert [at(5, 100), at(6, 99), at(7, 100)] == [[(2, 100)], [], []]
    assert [at(8, 69), at(9, 100)] == [[], [(2, 100)]]


def test_a_limit_that_was_reached_and_left_within_the_interval_is_told_at_its_end() -> None:
    progress = Progress()
    assert taken(progress, 0, use=[Use("stored_bytes", 90, 100)])
    assert taken(progress, MINUTE_MS, use=[Use("stored_bytes", 100, 100)]) is None
    news = taken(progress, HOUR_MS, use=[Use("stored_bytes", 10, 100)])
    assert news and [(one.level, one.used, one.at_ms) for one in news.limits] == [(2, 100, MINUTE_MS)]


def test_the_oldest_job_is_told_once_until_none_waits_so_long() -> None:
    progress = Progress()
    assert taken(progress, 30 * MINUTE_MS, oldest=(0, "a")) is None
    news = taken(progress, 31 * MINUTE_MS, oldest=(0, "a"))
    assert news and news.waiting and (news.waiting.job_id, news.waiting.since_ms) == ("a", 0)
    assert taken(progress, 99 * MINUTE_MS, oldest=(MINUTE_MS, "b")) is None
    assert taken(progress, 100 * MINUTE_MS, oldest=None, whole=False) is None, "a server is away: nothing is drawn"
    assert taken(progress, 101 * MINUTE_MS, oldest=(MINUTE_MS, "b")) is None
    assert taken(progress, 102 * MINUTE_MS) is None
    again = taken(progress, 200 * MINUTE_MS, oldest=(150 * MINUTE_MS, "c"))
    assert again and again.waiting and again.named() == ["c"]
