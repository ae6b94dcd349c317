"""Loopback ports for servers that must know theirs before they start."""

import secrets
import socket

NEVER_GIVEN = range(20_000, 32_000)
"""Below 32768, from where Linux gives ports to whatever asks for any: a client that calls in vain for a server that is being
restarted may be given the server's own, connect to itself and keep the server off it."""

ATTEMPTS = 200


def is_taken(port: int) -> bool:
    """True where no server could listen there now."""
    with socket.socket() as probe:
        # As servers do: connections that ended a moment ago keep no server away.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def free_port() -> int:
    """A TCP port that nothing listens on now. Raises OSError where there is none."""
    for _ in range(ATTEMPTS):
        if not is_taken(port := secrets.choice(NEVER_GIVEN)):
            return port
    raise OSError(f"No free port found between {NEVER_GIVEN.start} and {NEVER_GIVEN.stop}.")
