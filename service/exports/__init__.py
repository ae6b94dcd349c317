"""Where the rows of exports come from."""

from service.exports.records import Records

__all__ = ["Records"]
