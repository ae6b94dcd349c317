"""The chaos suite runs the engine's own fixtures, only harder."""

from tests.engine.conftest import ledger, start_worker, store

__all__ = ["ledger", "start_worker", "store"]
