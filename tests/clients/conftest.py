"""The client package as its users have it, and the API that it calls."""

import sys
from pathlib import Path

SOURCE = str(Path(__file__).parents[2] / "clients" / "python" / "src")
if SOURCE not in sys.path:
    sys.path.insert(0, SOURCE)

from tests.api.conftest import acme, app, globex, hands, served  # noqa: E402  # they import nothing of the client

__all__ = ["acme", "app", "globex", "hands", "served"]
