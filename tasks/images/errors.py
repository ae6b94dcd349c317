"""Errors that the functions of this package raise."""

from tasks.sdk import Permanent


class BadPicture(Permanent):
    """A file of which no picture can be made: one sentence for the person who sent it."""


class TooMuchText(BadPicture):
    """A picture's text or colour profile unpacks to more than is read. The message begins with `The picture `."""
