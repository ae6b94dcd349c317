"""Fingerprint of an error: the exception's type, where in our code it passed, and its message without particulars."""

import hashlib
import re
import traceback
from pathlib import Path

OURS = ("settings", "tasks", "service", "dashboard", "tests")
"""Packages whose frames count. A library's frames change with its version; ours say where the fault is."""

PARTICULARS = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}"  # UUIDs
    r"|\b[0-9a-f]{12,}\b"  # other ids and digests
    r"|\d+(?:[.,:]\d+)*",  # numbers, times, addresses
    re.IGNORECASE,
)


def kind_of(error: BaseException) -> str:
    """The exception's type and its message without particulars: equal wherever in our code it passed."""
    text = f"{type(error).__qualname__}\n{PARTICULARS.sub('#', str(error))[:500]}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def fingerprint(error: BaseException) -> str:
    """Twelve hexadecimal digits: equal for errors with one cause, however their ids and numbers differ."""
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        parts = Path(frame.filename).parts
        package = next((i for i in range(len(parts) - 1, -1, -1) if parts[i] in OURS), None)
        if package is not None and "site-packages" not in parts:
            frames.append("/".join(parts[package:]) + ":" + frame.name)
    message = PARTICULARS.sub("#", str(error))[:500]
    text = "\n".join([type(error).__qualname__, *frames, message])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
