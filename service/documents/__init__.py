"""Uploaded files: accepted, inspected, described, served."""
