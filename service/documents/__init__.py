"""Uploaded files: taken in, looked at, described, handed out."""
