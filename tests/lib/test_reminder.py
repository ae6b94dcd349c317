"""A trouble that lasts is logged when it begins and once in a while after that."""

from service.lib.reminder import Reminder


def test_it_is_logged_once_until_the_interval_is_over() -> None:
    lasting, always = Reminder(1e9), Reminder(0)
    assert [lasting.due() for _ in range(3)] == [True, False, False]
    assert [always.due() for _ in range(3)] == [True, True, True]


def test_its_end_is_logged_only_where_its_beginning_was() -> None:
    reminder = Reminder(1e9)
    assert not reminder.over()
    assert reminder.due() and reminder.over() and not reminder.over()
    assert reminder.due(), "the next trouble is another one"
