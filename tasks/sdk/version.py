"""Version of the SDK's interface, and what a package may ask of it."""

import re

API_VERSION = (1, 0)
"""Major and minor. A minor release only adds; a major one may change what is there."""

NEEDED = "OFFLOAD_SDK"
"""Name of the constant in which a package's module says which version it was written for, such as "1.0"."""


def problem_of(module: str, given: object) -> str | None:
    """Fault of a package that was written for the version `given`, in a sentence; None where this one serves it."""
    found = re.fullmatch(r"(\d+)\.(\d+)", given) if isinstance(given, str) else None
    if not found:
        return f'{module} says {NEEDED} = {given!r}: write the version it was made for, such as "1.0".'
    major, minor = int(found.group(1)), int(found.group(2))
    here = f"{API_VERSION[0]}.{API_VERSION[1]}"
    if (major, minor) > API_VERSION:
        return f"{module} needs version {given} of the SDK, and this is {here}: upgrade Offload."
    if major < API_VERSION[0]:
        return f"{module} was made for version {given} of the SDK, and this is {here}: upgrade the package."
    return None
