"""Errors that the functions of this package raise."""

from tasks.sdk import Permanent


class BadPicture(Permanent):
    """A file of which no picture can be made: one sentence for the person who sent it."""
