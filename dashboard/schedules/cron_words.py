"""A schedule in words of the reader's language. CronSim explains a cron expression in English; the German is made here.

It is made of the fields as CronSim reads them, so that both say the same of a list, of a step, and of a day of the month
that stands with a weekday (either of the two is enough, save where one of them begins with `*`).
"""

from collections.abc import Callable, Iterable

from cronsim.explain import Expression, Field, Hour, Minute, Sequence

from service.engine.schedules.records import ScheduleState
from service.lib.languages import current_language
from service.lib.sentences.recogniser import shown

MONTHS = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
]

DAYS = ["Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"]

TIMES = {-1: "letzten", 1: "ersten", 2: "zweiten", 3: "dritten", 4: "vierten", 5: "fünften"}

LAST_DAY, LAST_WORKDAY = -1, -2
"""Days of the month of CronSim for `L` and `LW`."""

CLOCK_TIMES_MAX = 4
"""More times of a day than these are shown as minutes and hours, as CronSim does."""


def schedule_words(state: ScheduleState) -> str:
    """The times of a schedule in the language of the page, or what is wrong with it."""
    if current_language() == "de" and state.words and state.schedule.cron:
        return german(state.schedule.cron)
    return shown(state.words or state.problem or "")


def german(cron: str) -> str:
    """A cron expression of five fields, which CronSim accepts, in German."""
    expression = Expression(cron.upper().split())
    time, at_clock_times = _time(expression.minute, expression.hour)
    date = _date(expression)
    words = f"{time} {date}" if date else f"täglich {time}" if at_clock_times else time
    return words[:1].upper() + words[1:]


def _time(minute: Minute, hour: Hour) -> tuple[str, bool]:
    """The time of day, and True where it is some clock times."""
    if hour.star:
        if minute.zero:
            return "zu jeder vollen Stunde", False
        step = minute.parsed[0].step if len(minute.parsed) == 1 and minute.parsed[0].start is None else 0
        # A step that does not divide the hour begins again with each.
        return (_minutes(minute) if step and 60 % step == 0 else f"{_minutes(minute)} jeder Stunde"), False
    if hour.all_singles and minute.all_singles and len(hour.parsed) * len(minute.parsed) <= CLOCK_TIMES_MAX:
        clock = [_clock(h, m) for h in sorted(hour.singles()) for m in sorted(minute.singles())]
        return f"um {_listed(clock)} Uhr", True
    if len(hour.parsed) == len(minute.parsed) == 1:
        hours, minutes = hour.parsed[0], minute.parsed[0]
        if hours.is_single() and minutes.start is not None and minutes.step == 1:
            return (
                f"jede Minute von {_clock(hours.start, minutes.start)} bis {_clock(hours.start, minutes.stop)} Uhr",
                False,
            )
        if hours.start is not None and hours.step == 1:
            if minutes.start is None:
                return f"{_minutes(minute)} von {_clock(hours.start, 0)} bis {_clock(hours.stop, 59)} Uhr", False
            if minute.zero:
                return f"zu jeder vollen Stunde von {_clock(hours.start, 0)} bis {_clock(hours.stop, 0)} Uhr", False
    return f"{_minutes(minute)} {_hours(hour)}", False


def _clock(hour: int | None, minute: int | None) -> str:
    return f"{hour or 0:02d}:{minute or 0:02d}"


def _minutes(minute: Minute) -> str:
    if minute.all_singles and len(minute.parsed) > 1:
        return f"in den Minuten {_listed(map(str, minute.singles()))}"
    return _each(minute, lambda value: f"in Minute {value}", "jede Minute", "alle {} Minuten", "von {} bis {}")


def _hours(hour: Hour) -> str:
    if hour.all_singles and len(hour.parsed) > 1:
        return f"der Stunden {_listed(map(str, hour.singles()))}"
    return _each(hour, lambda value: f"der Stunde {value}", "jeder Stunde", "jeder {}. Stunde", "von {} bis {}")


def _date(expression: Expression) -> str:
    """The days and months; empty where it is every day."""
    day, weekday, month = expression.day, expression.dow, expression.month
    if day.star:
        if weekday.star:
            return "" if month.star else f"an jedem Tag {_months(expression)}"
        months = _months(expression)
        if month.star:
            return _weekdays(weekday, of="jedes Monats")
        return f"{_weekdays(weekday)} {months}"
    if weekday.star and day.single_value and day.single_value > 0 and month.single_value:
        return f"am {day.single_value}. {MONTHS[month.single_value - 1]}"
    months = "jedes Monats" if month.star else _months(expression)
    if weekday.star:
        return f"{_days(day)} {months}"
    if expression.day_and:
        return f"{_days(day)} {months}, aber nur {_weekdays(weekday)}"
    if month.star:
        return f"{_days(day)} {months} sowie {_weekdays(weekday, of=months)}"
    return f"{months} {_days(day)} sowie {_weekdays(weekday)}"


def _days(day: Field) -> str:
    singles = day.singles()
    if day.all_singles and len(singles) > 1 and min(singles) > 0:
        return f"am {_listed(f'{value}.' for value in singles)} Tag"

    def single(value: int) -> str:
        return {LAST_DAY: "am letzten Tag", LAST_WORKDAY: "am letzten Werktag"}.get(value, f"am {value}. Tag")

    return _each(day, single, "an jedem Tag", "an jedem {}. Tag", "vom {}. bis {}.")


def _weekdays(weekday: Field, of: str = "") -> str:
    """Weekdays; `of` follows those that are counted within a month, such as its second Friday."""

    def one(sequence: Sequence) -> str:
        if sequence.nth is not None and sequence.start is not None:
            counted = f"am {TIMES.get(sequence.nth, f'{sequence.nth}.')} {DAYS[sequence.start]}"
            return f"{counted} {of}".strip()
        if sequence.is_single() and sequence.start is not None:
            return _on(sequence.start)
        if sequence.start is None or sequence.stop is None:
            return "an jedem Wochentag" if sequence.step == 1 else f"an jedem {sequence.step}. Wochentag"
        span = f"{_on(sequence.start)} bis {_on(sequence.stop)}"
        return (
            span
            if sequence.step == 1
            else f"an jedem {sequence.step}. Tag von {DAYS[sequence.start]} bis {DAYS[sequence.stop]}"
        )

    return _listed(one(sequence) for sequence in weekday.parsed)


def _on(day: int) -> str:
    return f"{DAYS[day].lower()}s"


def _months(expression: Expression) -> str:
    month = expression.month
    if month.all_singles:
        return f"im {_listed(MONTHS[value - 1] for value in month.singles())}"
    words = _each(
        month, lambda value: f"im {MONTHS[value - 1]}", "in jedem Monat", "in jedem {}. Monat", "von {} bis {}", MONTHS
    )
    return words.replace("in jedem Monat von ", "von ")


def _each(
    field: Field, single: Callable[[int], str], every: str, step: str, span: str, names: list[str] | None = None
) -> str:
    """A field's values, spans and steps, in a list. `names` are those of values, which count from 1."""

    def name(value: int | None) -> str:
        return str(value) if names is None or value is None else names[value - 1]

    def one(sequence: Sequence) -> str:
        if sequence.is_single() and sequence.start is not None:
            return single(sequence.start)
        words = every if sequence.step == 1 else step.format(sequence.step)
        return words if sequence.start is None else f"{words} {span.format(name(sequence.start), name(sequence.stop))}"

    return _listed(map(one, field.parsed))


def _listed(texts: Iterable[str]) -> str:
    """Texts with commas and "und" between them."""
    *first, last = texts
    return f"{', '.join(first)} und {last}" if first else last
