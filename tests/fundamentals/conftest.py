"""A worker of the thumbnails queue that knows this folder's jobs, and a client."""

from tests.engine.conftest import enqueuer, ledger, start_worker, store

__all__ = ["enqueuer", "ledger", "start_worker", "store"]
