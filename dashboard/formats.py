"""Formats of values in the language and the zone of the request: counts, sizes, durations, moments; and JSON.

Times are milliseconds since the epoch.
"""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from dashboard.translation.catalogue import named
from dashboard.zones import current_zone
from service.lib.languages import current_language

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

COARSE = ((DAY_MS, "d", HOUR_MS, "h"), (HOUR_MS, "h", MINUTE_MS, "min"), (MINUTE_MS, "min", SECOND_MS, "s"))
"""A unit and the next finer one, the coarsest first."""

UNITS_OF_RATE = ((1, "an hour"), (24, "a day"), (168, "a week"))
"""Spans in hours, with their words."""

GERMAN_DAYS = ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So.")

SHOWN_JSON_CHARACTERS = 20_000
"""Of a payload or a result on a page: more of it freezes a browser. The whole stands behind a link."""

MORE = "\n…"
"""End of what was cut, which no JSON ends with."""


GERMAN_MARKS = str.maketrans(",.", ".,")


def local(figures: str) -> str:
    """A number that was written in the English way, with the marks of the current language: 1.234,5 in German."""
    return figures.translate(GERMAN_MARKS) if current_language() == "de" else figures


def quantity(text: str) -> str:
    """A figure and its unit, such as "1,200 pages", or a word, such as "nothing", in the current language."""
    figure, _, unit = text.partition(" ")
    return f"{local(figure)} {named(unit)}" if unit and figure[:1].isdigit() else named(text)


def number(value: int) -> str:
    return local(f"{value:,}")


def decimal(value: float, places: int = 1) -> str:
    """A number with so many places."""
    return local(f"{value:,.{places}f}")


def figures(value: float) -> str:
    """A number with as few places as it needs, six figures at most."""
    return local(f"{value:g}")


def size(count: int) -> str:
    """Bytes in decimal units, three significant digits at most."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.5 else f"{decimal(amount)} {unit}"
        amount /= 1000
    return f"{decimal(amount)} TB"


def duration(elapsed_ms: int | float) -> str:
    """Two units at most, the coarser the longer: 850 ms, 12.3 s, 4 min 12 s, 2 h 5 min, 3 d 4 h."""
    elapsed_ms = max(0, int(elapsed_ms))
    if elapsed_ms < SECOND_MS:
        return f"{elapsed_ms} ms"
    if elapsed_ms < MINUTE_MS:
        return f"{decimal(elapsed_ms / SECOND_MS)} s"
    unit_ms, unit, rest_ms, rest = next(step for step in COARSE if elapsed_ms >= step[0])
    count, left_ms = divmod(elapsed_ms, unit_ms)
    return f"{count} {unit} {left_ms // rest_ms} {rest}" if left_ms >= rest_ms else f"{count} {unit}"


def whole(elapsed_ms: int | float) -> str:
    """A duration that is looked at while it grows: no fractions, so that it does not flicker."""
    elapsed_ms = max(0, int(elapsed_ms))
    return duration(elapsed_ms) if elapsed_ms >= MINUTE_MS else f"{elapsed_ms // SECOND_MS} s"


def moment(at_ms: int) -> Markup:
    """A <time> in the current zone, exact on hover. static/times.js makes it short, in the browser's zone where none is chosen."""
    at = datetime.fromtimestamp(at_ms / SECOND_MS, current_zone())
    utc, clock, zone = at.astimezone(UTC), f"{at:%H:%M:%S}", at.tzname()
    exact = f".{at_ms % SECOND_MS:03d}"
    if current_language() == "de":
        day = title = f"{at:%d.%m.%Y}"
    else:
        day, title = f"{at.day} {at:%b}", f"{at:%Y-%m-%d}"
    # Nothing in it needs escaping: it is all digits, names of months and abbreviations of zones.
    return Markup(
        f'<time datetime="{utc:%Y-%m-%dT%H:%M:%S}{exact}Z" title="{title} {clock}{exact} {zone}">{day} {clock} {zone}</time>'
    )


def written(at_ms: int) -> str:
    """A moment as plain text, to the minute, in the current zone: for a title, which can hold no element."""
    at = datetime.fromtimestamp(at_ms / SECOND_MS, current_zone())
    day = f"{at:%d.%m.%Y}" if current_language() == "de" else f"{at:%Y-%m-%d}"
    return f"{day} {at:%H:%M} {at.tzname()}"


def typed(at_ms: int, earlier_ms: int = 0) -> str:
    """A moment as an address or a form takes it, in UTC, so much earlier."""
    return f"{datetime.fromtimestamp((at_ms - earlier_ms) / SECOND_MS, UTC):%Y-%m-%dT%H:%M:%S}"


def in_zone(at_ms: int, zone: str) -> Markup:
    """A <time> in a named zone, as a schedule means it, which static/times.js leaves alone; first in the reader's zone where
    that is another one. Only in the reader's where there is no such zone.
    """
    try:
        at = datetime.fromtimestamp(at_ms / SECOND_MS, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return moment(at_ms)
    utc = at.astimezone(UTC)
    german = current_language() == "de"
    words = f"{GERMAN_DAYS[at.weekday()]} {at:%d.%m.%Y %H:%M}" if german else f"{at:%a} {at.day} {at:%b} {at:%H:%M}"
    meant = Markup('<time datetime="{}Z" data-zoned title="{} UTC">{} {}</time>').format(
        f"{utc:%Y-%m-%dT%H:%M:%S}", f"{utc:%Y-%m-%d %H:%M:%S}", words, zone
    )
    return meant if zone == current_zone().key else Markup("{} ({})").format(moment(at_ms), meant)


def rate(per_hour: float) -> str:
    """Jobs in the largest unit of time that needs no fraction below a tenth: 1,200 an hour, 2.5 an hour, 3 a day."""
    if not per_hour:
        return "0"
    factor, unit = next((one for one in UNITS_OF_RATE if per_hour * one[0] >= 1), UNITS_OF_RATE[-1])
    amount = per_hour * factor
    return f"{number(round(amount))} {unit}" if amount >= 10 else f"{local(f'{amount:.1f}'.removesuffix('.0'))} {unit}"


def pretty(value: Any) -> str:
    """Indented JSON, cut where it would freeze a page."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_JSON_CHARACTERS else f"{text[:SHOWN_JSON_CHARACTERS]}{MORE}"


def cut(shown: str) -> bool:
    """True where `pretty` has cut it."""
    return shown.endswith(MORE)


ONE_LINE = json.JSONEncoder(separators=(",", ":"), default=str)
"""Made once: `json.dumps` with options makes an encoder for each value."""


def compact(payload: dict[str, Any], limit: int = 160) -> str:
    """A payload on one line: `file_id=file-1 sizes=[150,300]`."""
    given = {key: value for key, value in payload.items() if value is not None and value != ""}
    line = " ".join(f"{key}={_one_line(value)[:limit]}" for key, value in given.items())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _one_line(value: Any) -> str:
    return value if isinstance(value, str) else ONE_LINE.encode(value)


def share(part: int, whole: int) -> float:
    """`part` of `whole` in per cent, 0 to 100."""
    return 0.0 if whole <= 0 else max(0.0, min(100.0, 100 * part / whole))
