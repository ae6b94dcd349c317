"""Schedules in words of the reader's language."""

import pytest

from dashboard.schedules.cron_words import german
from tests.dashboard.conftest import Client


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("* * * * *", "Jede Minute"),
        ("0 * * * *", "Zu jeder vollen Stunde"),
        ("*/15 * * * *", "Alle 15 Minuten"),
        ("*/7 * * * *", "Alle 7 Minuten jeder Stunde"),
        ("5,10 * * * *", "In den Minuten 5 und 10 jeder Stunde"),
        ("0-10 11 * * *", "Jede Minute von 11:00 bis 11:10 Uhr"),
        ("*/5 9-17 * * mon-fri", "Alle 5 Minuten von 09:00 bis 17:59 Uhr montags bis freitags"),
        ("0 9-17 * * *", "Zu jeder vollen Stunde von 09:00 bis 17:00 Uhr"),
        ("5 */2 * * *", "In Minute 5 jeder 2. Stunde"),
        ("1-5,30 1,3,5,7,9 * * *", "Jede Minute von 1 bis 5 und in Minute 30 der Stunden 1, 3, 5, 7 und 9"),
        ("0 8 * * *", "Täglich um 08:00 Uhr"),
        ("30 8,12 * 1-3 *", "Um 08:30 und 12:30 Uhr an jedem Tag von Januar bis März"),
        ("0 6 * * 1", "Um 06:00 Uhr montags"),
        ("0 6 * 2 0,3,6", "Um 06:00 Uhr sonntags, mittwochs und samstags im Februar"),
        ("0 9 * * 5#2", "Um 09:00 Uhr am zweiten Freitag jedes Monats"),
        ("0 9 * * 5L", "Um 09:00 Uhr am letzten Freitag jedes Monats"),
        ("0 0 1 * *", "Um 00:00 Uhr am 1. Tag jedes Monats"),
        ("0 0 29 2 *", "Um 00:00 Uhr am 29. Februar"),
        ("0 0 L * *", "Um 00:00 Uhr am letzten Tag jedes Monats"),
        ("0 0 LW 3,6 *", "Um 00:00 Uhr am letzten Werktag im März und Juni"),
        ("0 3 1-7 * *", "Um 03:00 Uhr an jedem Tag vom 1. bis 7. jedes Monats"),
        # Either of the two is enough, save where one of them begins with a star.
        ("0 0 1,15 * 1", "Um 00:00 Uhr am 1. und 15. Tag jedes Monats sowie montags"),
        ("0 0 1 */3 7", "Um 00:00 Uhr in jedem 3. Monat am 1. Tag sowie sonntags"),
        ("0 0 */2 * 1", "Um 00:00 Uhr an jedem 2. Tag jedes Monats, aber nur montags"),
    ],
)
def test_a_cron_expression_in_german(cron: str, words: str) -> None:
    assert german(cron) == words


async def test_schedules_are_in_the_language_of_the_page(operator: Client) -> None:
    words = {"en": "At 00:00 on the first day of every month", "de": "Um 00:00 Uhr am 1. Tag jedes Monats"}
    for language, other in (("en", "de"), ("de", "en")):
        operator.headers["accept-language"] = language
        page = (await operator.get("/admin/schedules")).text
        assert words[language] in page and words[other] not in page
