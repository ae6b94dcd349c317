"""Compatibility: every later release reads what this format has once written, here an object and a value of the first one."""

import base64

from service.lib.encryption import Keyring
from service.lib.storage.sealed_object import HEADER, shape_of

KEYS = Keyring({"first": bytes(range(32))})

OBJECT = """
ir/4/7jVPRiOg30Vrbv8fQFmaXJzdAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKJ9bYK1qpQLbMZS05lxDfGbU+/i5AK4qttq
0sLvEEt22TlTjjJbuiMzJWonEagnx20Trq/Onltf/NrtbHESbi9KNbKbN+8OgPRGMxs=
"""

VALUE = "wU9GTAEFZmlyc3SFexMdGfXgXhzZz6sOam4chayvQ9TSd/fbAvbx+E04RFzNCg+ZUlBdLvg7d8W42gXIddlTy+yEvCtlKwXss7ui"


def test_an_object_of_the_first_format_is_read() -> None:
    stored = base64.b64decode(OBJECT)
    opener = shape_of("jobs/1/files/a.txt", stored[: HEADER.size], len(stored)).opener(KEYS)
    assert opener.update(stored[HEADER.size :]) == b"Minutes of the harbour board"
    opener.finish()


def test_a_value_of_the_first_format_is_read() -> None:
    assert KEYS.open(base64.b64decode(VALUE), b"job-1 payload") == b'{"file_id":"file-1"}'
