"""Metered use of owners by month."""
