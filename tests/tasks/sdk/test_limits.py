"""Declarations of limits over keys, and the keys that values make."""

from typing import Any

import msgspec
import pytest

from tasks.sdk import Payload
from tasks.sdk.limits import KeyLimit, key_limits, key_value, keys_of

FIELDS = ("file_id", "host")


def test_several_at_once_in_the_order_of_the_payload() -> None:
    found = key_limits(FIELDS, {"owner": 4}, "file_id", {"owner": (60, "minute"), "host": (5, "second")})
    assert found == (KeyLimit("owner", 4, 60, 60_000), KeyLimit("file_id", 1), KeyLimit("host", 0, 5, 1_000))


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (({"colour": 1}, (), {}), "it has no 'colour': there are file_id, host, owner"),
        (({"owner": 0}, (), {}), "limit of owner is a number of jobs from 1, not 0"),
        (({"owner": True}, (), {}), "not True"),
        (({"file_id": 3}, "file_id", {}), "one of them says how many run at a time"),
        (({}, (), {"owner": 60}), r'rate of owner is \(number, period\), such as \(60, "minute"\), not 60'),
        (({}, (), {"owner": (60, "fortnight")}), "a period of second, minute, hour, day, not 'fortnight'"),
        (({}, (), {"owner": (0, "minute")}), "a number from 1 to 10,000, not 0"),
    ],
)
def test_what_makes_no_sense_is_named(declared: tuple[Any, Any, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        key_limits(FIELDS, *declared)


class Sent(Payload):
    file_id: str | None = None
    address: Any = None


def test_a_field_that_is_none_bounds_nothing() -> None:
    limits = key_limits(Sent.__struct_fields__, {"owner": 4}, ("file_id", "address"), {})
    assert keys_of("send", limits, Sent(), "acme", frozenset()) == "send:owner:acme|4|0|0"
    words = keys_of("send", limits, Sent(file_id="f", address={"b": 1, "a": 2}), "acme", frozenset()).split()
    assert words[1] == "send:file_id:f|1|0|0" and words[2].startswith("send:address:sha256-")


def test_a_payload_s_own_owner_comes_first() -> None:
    class Owned(Payload):
        owner: str

    limits = key_limits(Owned.__struct_fields__, {"owner": 1}, (), {})
    assert keys_of("t", limits, Owned(owner="theirs"), "acme", frozenset()) == "t:owner:theirs|1|0|0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a-b.C_1@x+y", "a-b.C_1@x+y"),
        (5, "5"),
        (True, "true"),
        (1.5, "1.5"),
        ("", None),
        ("a b|c", None),
        ("x" * 65, None),
    ],
)
def test_short_plain_values_stand_as_they_are(value: Any, text: str | None) -> None:
    found = key_value(value)
    assert found == text if text else found.startswith("sha256-") and len(found) < 64


def test_equal_values_have_equal_keys_whatever_their_size() -> None:
    assert key_value({"a": [1, 2], "b": 3}) == key_value({"b": 3, "a": [1, 2]}) != key_value({"a": [2, 1], "b": 3})
    assert key_value("x" * 10_000_000) == key_value("x" * 10_000_000) != key_value("x" * 10_000_001)
    assert key_value("\ud800").startswith("sha256-"), "half a character is a value too"


def test_personal_values_are_hidden() -> None:
    limits = key_limits(("address",), {}, "address", {})

    class To(msgspec.Struct):
        address: str

    found = keys_of("mail", limits, To("a@example.org"), "acme", frozenset({"address"}))
    assert "example" not in found and found.startswith("mail:address:sha256-")
