"""Addresses that no webhook may go to, in whatever form they are written."""

import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from service.webhooks.addresses import Addresses, RefusedUrl, kind_of, parse_url


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("169.254.169.254", "link-local"),
        ("0.0.0.0", "unspecified"),
        ("100.64.0.1", "reserved"),
        ("224.0.0.1", "multicast"),
        ("239.1.1.1", "multicast"),
        ("255.255.255.255", "private"),
        ("240.0.0.1", "private"),
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fc00::1", "private"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("::127.0.0.1", "loopback"),
        ("2002:7f00:1::", "loopback"),
        ("2002:a00:1::", "private"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2001:0:7f00:1::", "private"),
        ("8.8.8.8", None),
        ("2606:4700:4700::1111", None),
        ("::ffff:8.8.8.8", None),
        ("2002:808:808::", None),
    ],
)
def test_kinds(address: str, kind: str | None) -> None:
    assert kind_of(ipaddress.ip_address(address)) == kind


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
    ],
)
async def test_refused_after_resolution(url: str) -> None:
    with pytest.raises(RefusedUrl, match="webhooks go to public addresses only"):
        await Addresses().check(url)
    await Addresses(allow_private=True).check(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/", "must begin with http"),
        ("example.com/hook", "must begin with http"),
        ("http:///hook", "must begin with http"),
        ("http://user:secret@example.com/", "user or a password"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com/" + "x" * 2_000, "longer than 2,000"),
        ("http://exa\nmple.com/", "not a URL"),
        ("http://[::1/", "not a URL"),
        ("https://xn--/", "not a URL"),
        ("http://example.com:port/", "not a URL"),
    ],
)
def test_urls_that_are_none(url: str, words: str) -> None:
    with pytest.raises(RefusedUrl, match=words):
        parse_url(url)


async def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, ["8.8.8.8", "10.0.0.7"])
    with pytest.raises(RefusedUrl, match=r"hook.example.com leads to 10.0.0.7, which is a private address"):
        await Addresses().check("https://hook.example.com/")


async def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: Any, **__: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", none)
    with pytest.raises(RefusedUrl, match=r"nowhere.example has no address\."):
        await Addresses().check("https://nowhere.example/")


def answers(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> None:
    """Have names lead to these addresses, a list for each time that one is looked up; the last list stays."""
    left = list(rounds)

    async def lookup(host: str, port: int, **_: Any) -> list[Any]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
