"""Ports for servers that must know theirs before they start."""

import socket

from service.lib import ports

HELD: list[socket.socket] = []


def free_port() -> int:
    """A TCP port on loopback that no test of any process is given again for as long as this process lives.

    Others are kept off by a UDP socket on the same number, which is in no TCP server's way.
    """
    while True:
        port = ports.free_port()
        held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            held.bind(("127.0.0.1", port))
        except OSError:
            held.close()
            continue
        HELD.append(held)
        return port
