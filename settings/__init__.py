"""Settings that an operator may change. The environment is read once; nothing here knows the rest of the program."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from settings.credentials import DashboardUser, Role
    from settings.load import Settings, load_settings
    from settings.queues import Queue, QueueSettings

__all__ = ["DashboardUser", "Queue", "QueueSettings", "Role", "Settings", "load_settings"]

MODULES = {
    "DashboardUser": "settings.credentials",
    "Queue": "settings.queues",
    "QueueSettings": "settings.queues",
    "Role": "settings.credentials",
    "Settings": "settings.load",
    "load_settings": "settings.load",
}


def __getattr__(name: str) -> Any:
    """A name of `__all__`, imported when first asked for: children that read documents know a queue or a rule, and would
    spend a third of their start on all of the settings."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(MODULES[name]), name)
    return found
