"""`uvicorn --factory tests.production.web:create_app`: the whole web application, which also takes these tests' jobs."""

import tests.production.jobs  # noqa: F401  # declares the jobs before their routes are made
from dashboard.app import create_app

__all__ = ["create_app"]
