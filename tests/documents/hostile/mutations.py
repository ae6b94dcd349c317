"""Damage to whole files, the same for the same seed: bits, cuts, blocks in wrong places, and numbers that lie."""

import random

EDGES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xff\xff\x7f")
"""Numbers at which arithmetic goes wrong, in both orders of bytes."""


def mutated(data: bytes, seed: int) -> bytes:
    """The file with one to four kinds of damage."""
    chance = random.Random(seed)
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        chance.choice((_flip, _cut, _swap, _repeat, _lie, _noise))(made, chance)
    return bytes(made)


def _flip(made: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 8, 64))):
        if made:
            made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)


def _cut(made: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(made) + 1)
    # Most readers look at the end only once the beginning was good.
    del made[max(at, len(made) // 3) :]


def _swap(made: bytearray, chance: random.Random) -> None:
    size = chance.randint(1, max(1, len(made) // 4))
    one, other = (chance.randrange(max(1, len(made) - size + 1)) for _ in range(2))
    made[one : one + size], made[other : other + size] = made[other : other + size], made[one : one + size]


def _repeat(made: bytearray, chance: random.Random) -> None:
    at, size = chance.randrange(len(made) + 1), chance.randint(1, 5_000)
    made[at:at] = bytes(made[at : at + size]) * chance.randint(1, 20)


def _lie(made: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(max(1, len(made)))
        made[at : at + 4] = chance.choice(EDGES)


def _noise(made: bytearray, chance: random.Random) -> None:
    at, size = chance.randrange(max(1, len(made))), chance.randint(1, 300)
    made[at : at + size] = chance.randbytes(size)
