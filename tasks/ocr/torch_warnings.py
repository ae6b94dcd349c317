"""torch warns at every load of what a later torch will no longer do; a reader of our logs can do nothing about it."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing of it reaches the terminal. Errors are raised as ever."""
    logs = logging.getLogger("torch")
    level = logs.level
    logs.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.setLevel(level)
