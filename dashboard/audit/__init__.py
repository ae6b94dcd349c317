"""Audit log: actor, action and target, with filters."""
