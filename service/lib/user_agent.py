"""User agents: that of the command line, by which the audit log names the user at the terminal, and browsers' in a word."""

import getpass
import os
import re
from importlib.metadata import version
from urllib.parse import quote, unquote

AGENT = re.compile(r"offload-cli/\S+ \(([^()]{1,200})\)")


BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
"""Words of a browser's header, in this order: each names those behind it too."""


def browser_name(header: str) -> str:
    """A browser in a word, or the beginning of a header that names none that is known."""
    return next((name for word, name in BROWSERS if word in header), header[:40] or "unknown")


def user_agent() -> str:
    """The User-Agent header, with the name of the system's user."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user often has a number only.
        user = str(os.getuid())
    return f"offload-cli/{version('offload')} ({quote(user)})"


def terminal_user(header: str) -> str | None:
    """The user that a User-Agent header names; None where the request came from something else."""
    found = AGENT.fullmatch(header)
    return unquote(found[1]) if found else None
