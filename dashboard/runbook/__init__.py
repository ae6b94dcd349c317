"""Runbook: what to do about each alert."""
