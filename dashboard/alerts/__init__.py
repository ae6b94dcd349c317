"""Alerts: active, past and muted."""
