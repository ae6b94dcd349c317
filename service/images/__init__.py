"""Uploaded images as an app shows them: a record each, a cover and a preview."""
