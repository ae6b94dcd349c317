"""Where the rows of exports come from."""

from service.exports.datasets import Records

__all__ = ["Records"]
