"""Free ports are free, and none that the kernel would give to a client."""

import socket

import pytest

from service.lib.ports import NEVER_GIVEN, free_port, is_taken


def test_a_free_port_is_none_that_a_client_may_be_given() -> None:
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first, last = map(int, file.read().split())
    if first < NEVER_GIVEN.stop:
        pytest.skip("this machine gives clients any port")
    port = free_port()
    assert not first <= port <= last and not is_taken(port)


def test_a_port_is_taken_while_a_server_listens() -> None:
    with socket.create_server(("127.0.0.1", port := free_port())):
        assert is_taken(port)
    assert not is_taken(port)
