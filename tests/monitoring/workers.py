"""`arq tests.monitoring.workers.<Queue>`: real workers whose schedules go by a clock that the test moves, faster than real ones.

Only the thumbnails workers stand for maintenance leader, so that a test which kills them all by and by has killed the elected one.
"""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import service.engine.election
import service.engine.schedules.schedules
import service.engine.schedules.ticker
import service.monitoring.wiring
import service.services
import service.webhooks.wiring
from tasks import workers

CLOCK = Path(os.environ["WATCH_CLOCK"])


def simulated_ms() -> int:
    """The test's time: the last whole line that it wrote."""
    return int(CLOCK.read_text().split()[-1])


@contextlib.asynccontextmanager
async def no_maintenance(*_: Any) -> AsyncIterator[None]:
    yield


service.engine.schedules.ticker.now_ms = simulated_ms
service.engine.schedules.schedules.now_ms = simulated_ms
service.monitoring.wiring.SLOTS_S = 0.1
service.monitoring.wiring.OUTBOX_S = 0.1
service.webhooks.wiring.DELIVER_S = 0.1
service.engine.maintenance.TICK_S = 0.1
service.engine.election.TERM_S = 2.0
if os.environ.get("WATCH_MAINTENANCE") != "yes":
    service.services.maintaining = no_maintenance

EmailSender = workers.EmailSender
CsvExport = workers.CsvExport
Thumbnails = workers.Thumbnails
