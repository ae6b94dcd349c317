"""Values that are sealed under named keys, and digests of values."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lib import encryption
from service.lib.encryption import Damaged, KeyMissing, Keyring, is_sealed, key_id_of, keyring_of

OLD, NEW = {"old": os.urandom(32)}, {"new": os.urandom(32)}
KEYS = Keyring(NEW | OLD)


@given(plain=st.binary(max_size=200), context=st.binary(max_size=50))
def test_a_value_comes_back_in_its_own_context_alone(plain: bytes, context: bytes) -> None:
    sealed = KEYS.seal(plain, context)
    assert is_sealed(sealed) and KEYS.open(sealed, context) == plain
    assert len(sealed) == len(plain) + 49 + len("new") + 1
    with pytest.raises(Damaged):
        KEYS.open(sealed, context + b"x")


def test_equal_values_are_different_ones_and_show_nothing() -> None:
    one, other = KEYS.seal(b"a secret word", b"c"), KEYS.seal(b"a secret word", b"c")
    assert one != other and b"secret" not in one


def test_every_changed_byte_is_found() -> None:
    sealed = KEYS.seal(b"plain", b"c")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        with pytest.raises((Damaged, KeyMissing)):
            KEYS.open(changed, b"c")
    for cut in range(len(sealed)):
        with pytest.raises(Damaged):
            KEYS.open(sealed[:cut], b"c")
    with pytest.raises(Damaged):
        KEYS.open(sealed + b"x", b"c")


def test_the_first_key_seals_and_every_key_opens() -> None:
    before = Keyring(OLD).seal(b"from before", b"c")
    assert KEYS.open(before, b"c") == b"from before"
    assert key_id_of(before) == "old" and key_id_of(KEYS.seal(b"", b"c")) == KEYS.sealing_id == "new"


def test_a_key_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyMissing, match="encrypted with the key 'new', which is not in OFFLOAD_ENCRYPTION_KEYS"):
        Keyring(OLD).open(KEYS.seal(b"x", b"c"), b"c")
    # Another key under the same id is not that key.
    with pytest.raises(Damaged):
        Keyring({"new": os.urandom(32)}).open(KEYS.seal(b"x", b"c"), b"c")


def test_digests_are_equal_for_equal_values_of_one_context_and_key() -> None:
    assert KEYS.mac(b"ann@example.org", b"to") == Keyring(NEW).mac(b"ann@example.org", b"to")
    assert KEYS.macs(b"v", b"c") == [Keyring(NEW).mac(b"v", b"c"), Keyring(OLD).mac(b"v", b"c")]
    different = {KEYS.mac(b"ab", b"c"), KEYS.mac(b"b", b"ca"), KEYS.mac(b"ab", b""), KEYS.mac(b"", b"cab")}
    assert len(different) == 4


def test_no_derived_key_seals_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "SEALS_PER_SALT", 2)
    keys = Keyring(NEW)
    start = len(keys.seal(b"", b"")) - 16 - 12 - 16
    salts = [sealed[start : start + 16] for sealed in (keys.seal(b"", b"") for _ in range(5))]
    assert len(set(salts)) == 3
    assert keys.open(keys.seal(b"still", b""), b"") == b"still"


def test_nothing_of_a_key_is_shown_when_it_is_printed() -> None:
    assert repr(KEYS) == "Keyring(new, old)"
    assert keyring_of({}) is None
