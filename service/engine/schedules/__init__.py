"""Schedules: who starts them, and what pages and alerts read and do.

`services.schedules` is a `Schedules`:

    await schedules.list() -> list[ScheduleState]          every declared schedule, in order of declaration
    await schedules.get(name) -> ScheduleState             raises NoSuchSchedule
    await schedules.run_now(name, by=user) -> job id       raises NoSuchSchedule, ValueError (it cannot be read)
    await schedules.pause(name, reason=, by=, until_ms=)   raises NoSuchSchedule, ValueError (no reason, end in the past)
    await schedules.resume(name)                           raises NoSuchSchedule
"""

from service.engine.schedules.records import NoSuchSchedule, ScheduleState, SlotRun
from service.engine.schedules.schedules import Schedules
from service.engine.schedules.ticker import Ticker

__all__ = ["NoSuchSchedule", "ScheduleState", "Schedules", "SlotRun", "Ticker"]
