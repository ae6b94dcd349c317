"""User agent of the command line, by which the audit log names the user at the terminal."""

import getpass
import os
import re
from importlib.metadata import version
from urllib.parse import quote, unquote

AGENT = re.compile(r"offload-cli/\S+ \(([^()]{1,200})\)")


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
