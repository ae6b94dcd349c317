"""Owners, their plans and their use."""
