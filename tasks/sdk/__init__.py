"""Imports of a job's author: `job`, `Payload`, `Run`, `Meter`, the errors, and what packages declare besides job types.

Stability: what is listed here keeps its meaning within a major API_VERSION; minor versions only add. Everything else of tasks/
and the other packages may change with any release.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from settings.alert_rules import Rule, Severity
    from settings.schedules import Schedule
    from tasks.sdk.chain import Finished
    from tasks.sdk.declaring import job
    from tasks.sdk.errors import ChildDied, EventTimedOut, MemoryCeiling, Permanent, Refused, RetryLater
    from tasks.sdk.extend import MailTemplate, alert_rule, mail_template, port, queue, schedule
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

MODULES = {
    "API_VERSION": "tasks.sdk.version",
    "ChildDied": "tasks.sdk.errors",
    "EventTimedOut": "tasks.sdk.errors",
    "Finished": "tasks.sdk.chain",
    "MailTemplate": "tasks.sdk.extend",
    "MemoryCeiling": "tasks.sdk.errors",
    "Meter": "tasks.sdk.types",
    "PartResult": "tasks.sdk.types",
    "Payload": "tasks.sdk.types",
    "Permanent": "tasks.sdk.errors",
    "ProgramFailed": "tasks.sdk.program",
    "Refused": "tasks.sdk.errors",
    "RetryLater": "tasks.sdk.errors",
    "Rule": "settings.alert_rules",
    "Run": "tasks.sdk.run",
    "Schedule": "settings.schedules",
    "Severity": "settings.alert_rules",
    "alert_rule": "tasks.sdk.extend",
    "job": "tasks.sdk.declaring",
    "mail_template": "tasks.sdk.extend",
    "port": "tasks.sdk.extend",
    "queue": "tasks.sdk.extend",
    "schedule": "tasks.sdk.extend",
}


def __getattr__(name: str) -> Any:
    """A name of `__all__`, imported when first asked for: children that read documents know an error or two, and would spend most
    of their start on the declaration of job types and the table of queues."""
    if name not in MODULES:
        raise AttributeError(name)
    found = globals()[name] = getattr(import_module(MODULES[name]), name)
    return found
