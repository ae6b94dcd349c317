"""Machines of a small network, each a network namespace of this one, of which any can be cut off."""

import itertools
import os
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from tests.production.needs import need_namespaces

COUNT = itertools.count()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Network:
    """Namespaces on one bridge, on which this process stands too. `hosts` are their addresses.

    The machines of `far` stand on a second bridge, from which one cable leads to the first.
    """

    def __init__(self, machines: int, far: Collection[int] = ()) -> None:
        self.far = far
        # Another each time: the kernel takes its time to remove the last ones.
        number = (os.getpid() * 16 + next(COUNT)) % 12_800
        self.bridge = f"ofb{number}"
        subnet = f"10.{200 + number // 256 % 50}.{number % 256}"
        self.address = f"{subnet}.254"
        self.hosts = [f"{subnet}.{n + 1}" for n in range(machines)]
        self.names = [f"of{number}n{n}" for n in range(machines)]

    def make(self) -> None:
        _ip("link", "add", self.bridge, "type", "bridge")
        _ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")
        if self.far:
            _ip("link", "add", f"{self.bridge}f", "type", "bridge")
            _ip("link", "set", f"{self.bridge}f", "up")
            _ip("link", "add", f"{self.bridge}c", "type", "veth", "peer", "name", f"{self.bridge}d")
            _ip("link", "set", f"{self.bridge}c", "master", self.bridge, "up")
            _ip("link", "set", f"{self.bridge}d", "master", f"{self.bridge}f", "up")
        for number, (name, host) in enumerate(zip(self.names, self.hosts, strict=True)):
            _ip("netns", "add", name)
            _ip("link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b", "netns", name)
            bridge = f"{self.bridge}f" if number in self.far else self.bridge
            _ip("link", "set", f"{name}a", "master", bridge, "up")
            _ip("-n", name, "addr", "add", f"{host}/24", "dev", f"{name}b")
            _ip("-n", name, "link", "set", f"{name}b", "up")
            _ip("-n", name, "link", "set", "lo", "up")

    def cut(self, machine: int) -> None:
        """Let nothing to and from a machine through."""
        _ip("link", "set", f"{self.names[machine]}a", "down")

    def join(self, machine: int) -> None:
        """Connect it again."""
        _ip("link", "set", f"{self.names[machine]}a", "up")

    def cut_far(self) -> None:
        """Let nothing through between the two bridges: either side goes on alone."""
        _ip("link", "set", f"{self.bridge}c", "down")

    def join_far(self) -> None:
        """Connect them again."""
        _ip("link", "set", f"{self.bridge}c", "up")

    def remove(self) -> None:
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        for link in (f"{self.bridge}c", f"{self.bridge}f", self.bridge):
            subprocess.run(["ip", "link", "del", link], capture_output=True)


@contextmanager
def network(machines: int, far: Collection[int] = ()) -> Iterator[Network]:
    """A network that is gone afterwards. Skips the test where none can be made."""
    need_namespaces()
    made = Network(machines, far)
    try:
        made.make()
        yield made
    finally:
        made.remove()
