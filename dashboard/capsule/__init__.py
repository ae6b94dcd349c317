"""Incident capsules: one HTML file with all that is recorded of a span, which opens without a server."""
