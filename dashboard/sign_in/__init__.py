"""Signing in by a page, and signing out."""
