"""A ceiling on what a decoder may allocate, kept by the kernel: a file that lies about its size meets it at once."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tasks.images.errors import BadPicture

MB = 1 << 20

DECODE_MAX_BYTES = 512 * MB
"""The pixels of one picture: 134 million in colour, twice a large camera's. Two children stay under 2 GB."""

HEADROOM_BYTES = 384 * MB
"""In addition to the pixels: a decoder's own buffers, the reduced copies and the encoders."""


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Within, this process may grow by DECODE_MAX_BYTES and HEADROOM_BYTES. Raises BadPicture where that is not enough.

    A library that cannot bear a failed allocation ends the process instead, which in a pool costs only this call.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = psutil.Process().memory_info().vms + DECODE_MAX_BYTES + HEADROOM_BYTES
    limits = [limit for limit in (soft, hard, ceiling) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    except MemoryError:
        raise BadPicture(too_much_memory()) from None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def too_much_memory(what: str = "The picture") -> str:
    """The sentence for something that cannot be decoded within the ceiling."""
    return f"{what} takes more than {DECODE_MAX_BYTES // MB} MB of memory to decode."
