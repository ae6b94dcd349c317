"""Rows of exports."""

from service.exports.datasets import Records

__all__ = ["Records"]
