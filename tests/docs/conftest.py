"""The stack that the documents' commands talk to."""

from tests.supervisor.conftest import signals_are_received, stack, start

__all__ = ["signals_are_received", "stack", "start"]
