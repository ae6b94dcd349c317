"""Settings that an operator may change. The environment is read once; nothing here knows the rest of the program."""

from settings.credentials import DashboardUser, Role
from settings.load import Settings, load_settings
from settings.queues import Queue, QueueSettings

__all__ = ["DashboardUser", "Queue", "QueueSettings", "Role", "Settings", "load_settings"]
