"""Errors of one cause have one fingerprint, however their ids and numbers differ."""

import pytest

from service.engine.worker.error_fingerprint import fingerprint


def raised(message: str, error: type[Exception] = ValueError) -> Exception:
    try:
        raise error(message)
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("page 3 of 20", "page 17 of 240"),
        ("no file 8f0c2ab4d9e1f7", "no file 0011223344aabb"),
        ("gone: 12345678-1234-1234-1234-123456789abc", "gone: 87654321-4321-4321-4321-cba987654321"),
        ("due at 10:04:59.25", "due at 9:15"),
    ],
)
def test_particulars_do_not_count(one: str, other: str) -> None:
    assert fingerprint(raised(one)) == fingerprint(raised(other))


def test_another_message_type_or_place_is_another_cause() -> None:
    def elsewhere() -> Exception:
        try:
            raise ValueError("page 3")
        except ValueError as caught:
            return caught

    errors = [raised("page 3"), raised("row 3"), raised("page 3", KeyError), elsewhere()]
    assert len({fingerprint(error) for error in errors}) == 4


def test_it_is_twelve_digits() -> None:
    assert len(fingerprint(raised("x"))) == 12 and int(fingerprint(raised("x")), 16) >= 0
