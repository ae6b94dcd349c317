"""Finished formats, posters and strips of videos, in the storage next to the document's bytes."""
