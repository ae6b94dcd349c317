"""Names of uploaded files, made fit for display. They never reach a file system: the bytes lie under the file's id."""

import unicodedata

NAME_MAX_BYTES = 200
"""UTF-8 bytes. File systems take 255, which leaves room for what a browser adds to a second download of a name."""

EXTENSION_MAX = 10
"""Characters after the last dot that are kept as the extension when a name is cut."""

UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories without a shape of their own: controls, direction overrides, lone surrogates, unassigned."""


def display_name(given: str | None) -> str:
    """The last segment of a client's file name without what could mislead a reader: 1 to 200 UTF-8 bytes."""
    text = unicodedata.normalize("NFC", (given or "").encode("utf-8", "replace").decode("utf-8"))
    last = text.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(" " if mark in "\t\n\r" else mark for mark in last if _shown(mark))
    # A leading dot hides a file, and a trailing dot or blank is dropped by some systems.
    return _cut(" ".join(shown.split()).strip(". ")) or "unnamed"


def _shown(mark: str) -> bool:
    return mark in "\t\n\r" or unicodedata.category(mark) not in UNSAFE_CATEGORIES


def _cut(name: str) -> str:
    """Shorten to the limit by whole characters, keeping a short extension."""
    if len(name.encode()) <= NAME_MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > EXTENSION_MAX:
        stem, dot, extension = name, "", ""
    tail = f"{dot}{extension}"
    left_bytes = NAME_MAX_BYTES - len(tail.encode())
    return stem.encode()[:left_bytes].decode("utf-8", "ignore").rstrip() + tail
