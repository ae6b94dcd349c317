"""The API on a server of its own, with two owners."""

from tests.api.conftest import acme, app, globex, hands, served

__all__ = ["acme", "app", "globex", "hands", "served"]
