"""Dependencies that Litestar injects into a route by name."""

from litestar.di import NamedDependency

from service.api.auth import Caller
from service.services import Services

ServicesDep = NamedDependency[Services]
"""`services`: the open parts, provided by the root."""

Owner = NamedDependency[str]
"""`owner`: whose key the request carries; there behind `auth.require_key` only."""

CallerDep = NamedDependency[Caller]
"""`caller`: the authenticated caller with its rights."""
