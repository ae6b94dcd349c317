"""A disk without room, as far as one process is concerned."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_room(file_bytes: int = 0) -> Iterator[None]:
    """Within the block no file of this process grows beyond so many bytes: each write that would is an OSError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
