"""Imports of a job's author: `job`, `Payload`, `Run`, `Meter`, the errors, and what packages declare besides job types.

Stability: what is listed here keeps its meaning within a major API_VERSION; minor versions only add. Everything else of tasks/
and the other packages may change with any release.
"""

from settings.alert_rules import Rule, Severity
from settings.schedules import Schedule
from tasks.sdk.chain import Finished
from tasks.sdk.errors import ChildDied, EventTimedOut, MemoryCeiling, Permanent, Refused, RetryLater
from tasks.sdk.extend import MailTemplate, alert_rule, mail_template, port, queue, schedule
from tasks.sdk.job import job
from tasks.sdk.program import ProgramFailed
from tasks.sdk.run import Run
from tasks.sdk.types import Meter, PartResult, Payload
from tasks.sdk.version import API_VERSION

__all__ = [
    "API_VERSION",
    "ChildDied",
    "EventTimedOut",
    "Finished",
    "MailTemplate",
    "MemoryCeiling",
    "Meter",
    "PartResult",
    "Payload",
    "Permanent",
    "ProgramFailed",
    "Refused",
    "RetryLater",
    "Rule",
    "Run",
    "Schedule",
    "Severity",
    "alert_rule",
    "job",
    "mail_template",
    "port",
    "queue",
    "schedule",
]
