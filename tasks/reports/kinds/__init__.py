"""Every report by its name in a request."""

from tasks.reports.kind import Kind
from tasks.reports.kinds.activity import Activity
from tasks.reports.kinds.deliveries import Deliveries
from tasks.reports.kinds.jobs import Jobs
from tasks.reports.kinds.usage import Usage

KINDS: dict[str, type[Kind]] = {"activity": Activity, "usage": Usage, "deliveries": Deliveries, "jobs": Jobs}
