"""Objects encrypted in chunks: every range of them, and every way to tamper with them."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.lib.encryption import Damaged, KeyMissing, Keyring
from service.lib.storage.sealed_object import CHUNK_BYTES, HEADER, MAGIC, STORED_CHUNK_BYTES, Sealer, sealed, shape_of

KEYS = Keyring({"a": os.urandom(32)})
PLAIN = os.urandom(3 * CHUNK_BYTES + 1000)
STORED = sealed(KEYS, "jobs/1/files/x", PLAIN)


def opened(
    stored: bytes, start: int = 0, end: int | None = None, *, path: str = "jobs/1/files/x", step: int = 100_000
) -> bytes:
    """Plain bytes of stored ones that come in pieces of `step`."""
    opener = shape_of(path, stored[: HEADER.size], len(stored)).opener(KEYS, start, end)
    found = stored[opener.first_byte : opener.end_byte]
    plain = b"".join(opener.update(found[at : at + step]) for at in range(0, len(found), step))
    opener.finish()
    return plain


BORDERS = [
    edge + by for edge in (0, CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES) for by in (-1, 0, 1) if edge + by >= 0
]
PLACES = st.one_of(st.sampled_from([*BORDERS, len(PLAIN) - 1, len(PLAIN)]), st.integers(0, len(PLAIN)))


@settings(deadline=None)
@given(start=PLACES, end=PLACES, step=st.sampled_from([997, STORED_CHUNK_BYTES, 1 << 20]))
def test_every_range_is_that_of_the_plain_bytes(start: int, end: int, step: int) -> None:
    assert opened(STORED, start, end, step=step) == PLAIN[start:end]


@settings(deadline=None)
@given(
    size=st.sampled_from([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]),
    cuts=st.lists(st.integers(0, 2 * CHUNK_BYTES), max_size=4),
)
def test_bytes_that_come_in_pieces_are_one_object(size: int, cuts: list[int]) -> None:
    plain, sealer, stored, at = PLAIN[:size], Sealer(KEYS, "p"), b"", 0
    for cut in sorted(cuts):
        stored += sealer.update(plain[at:cut])
        at = max(at, min(cut, size))
    stored += sealer.update(plain[at:]) + sealer.finish()
    assert opened(stored, path="p") == plain
    assert shape_of("p", stored[: HEADER.size], len(stored)).size == size


def test_a_range_fetches_only_the_chunks_it_touches() -> None:
    opener = shape_of("x", STORED[: HEADER.size], len(STORED)).opener(KEYS, CHUNK_BYTES + 5, CHUNK_BYTES + 6)
    assert opener.end_byte - opener.first_byte == STORED_CHUNK_BYTES


def chunk(number: int) -> slice:
    start = HEADER.size + number * STORED_CHUNK_BYTES
    return slice(start, min(len(STORED), start + STORED_CHUNK_BYTES))


OTHER = sealed(KEYS, "jobs/1/files/x", PLAIN)
HEAD, ENDS = STORED[: HEADER.size], [STORED[chunk(number)] for number in range(4)]
TAMPERED = {
    "a chunk left out": HEAD + ENDS[0] + ENDS[2] + ENDS[3],
    "chunks in another order": HEAD + ENDS[1] + ENDS[0] + ENDS[2] + ENDS[3],
    "a chunk twice": HEAD + ENDS[0] + ENDS[0] + ENDS[1] + ENDS[2] + ENDS[3],
    "another object's chunk": HEAD + ENDS[0] + OTHER[chunk(1)] + ENDS[2] + ENDS[3],
    "another object's header": OTHER[: HEADER.size] + STORED[HEADER.size :],
    "cut between two chunks": HEAD + ENDS[0] + ENDS[1] + ENDS[2],
    "cut to one whole chunk": HEAD + ENDS[0],
    "cut within a chunk": STORED[:-500],
    "cut within a tag": HEAD + ENDS[0] + ENDS[1][:5],
    "cut to the header": HEAD,
    "cut within the header": HEAD[:50],
    "bytes appended": STORED + b"x",
    "a chunk appended": STORED + ENDS[0],
    "an empty chunk appended": HEAD + ENDS[0] + ENDS[1] + ENDS[2] + os.urandom(16),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found(how: str) -> None:
    with pytest.raises(Damaged, match="The stored file jobs/1/files/x cannot be decrypted: it was damaged"):
        opened(TAMPERED[how])


@given(
    at=st.one_of(st.integers(len(MAGIC), HEADER.size + 20), st.integers(0, len(STORED) - 1).filter(lambda at: at >= 16))
)
@settings(deadline=None)
def test_every_flipped_byte_is_found(at: int) -> None:
    changed = bytearray(STORED)
    changed[at] ^= 0x20
    # A kind of 0x21, a key of another name, or what does not open.
    with pytest.raises((Damaged, KeyMissing)):
        opened(bytes(changed))


def test_an_object_in_the_place_of_another_is_found() -> None:
    with pytest.raises(Damaged):
        opened(STORED, path="jobs/2/files/x")


def test_a_missing_key_is_named() -> None:
    shape = shape_of("x", HEAD, len(STORED))
    for keyring in (None, Keyring({"b": os.urandom(32)})):
        with pytest.raises(
            KeyMissing, match="The stored file x is encrypted with the key 'a', which is not in OFFLOAD_ENC"
        ):
            shape.opener(keyring)
