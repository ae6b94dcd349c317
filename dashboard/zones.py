"""Time zone in which the current request's times are shown."""

from contextvars import ContextVar
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

UTC_NAME = "UTC"

_current: ContextVar[str] = ContextVar("offload_zone", default=UTC_NAME)


@cache
def zone_names() -> frozenset[str]:
    """IANA names of all zones."""
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


def current_zone() -> ZoneInfo:
    """Zone in which times are shown, here and now."""
    return ZoneInfo(_current.get())


def use_zone(name: str) -> None:
    """Show times in a zone from here to the end of this request. One that does not exist is UTC."""
    # Only known names are opened: a cookie must not name a file.
    _current.set(name if name in zone_names() else UTC_NAME)
