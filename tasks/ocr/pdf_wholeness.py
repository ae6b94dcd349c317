"""Detection of torn PDFs by objects that are missing, not by the mark at its end.

Mailers cut the mark, scanners pad files with zeros, and a torn file may hold the mark of an earlier version.
"""

import itertools
import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

END_WITHIN = 1024
"""The mark belongs in the last bytes of a file (ISO 32000-1, Annex H, note 18)."""

LENGTH_WITHIN = 1024
"""A linearized file says in its first object how long it is (ISO 32000-1, Annex F)."""

OBJECTS_MAX = 300_000
"""Objects looked through: five thousand pages of scans have some 20,000."""


OBJECT = re.compile(rb"\b\d+\s+\d+\s+obj\b")
NAMED = re.compile(
    rb"/(?:Kids|Contents|Resources|XObject|Font)\s*(\[[^\]]{0,200000}\]|<<.{0,20000}?>>|\d+\s+\d+\s+R\b)", re.DOTALL
)
"""Objects that a page tree and its pages name, as the bytes have them."""
REFERENCE = re.compile(rb"(\d+)\s+(\d+)\s+R\b")


def is_torn(path: Path) -> bool:
    """Return whether bytes at the end of the PDF are missing. A file that ends as it should is not looked into."""
    if path.stat().st_size == 0:
        return True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        end = _content_end(data)
        mark = data.rfind(b"%%EOF", max(0, end - END_WITHIN), end)
        ends_well = mark >= 0 and OBJECT.search(data[mark:end]) is None
        if ends_well and not _shorter_than_declared(data, end):
            return False
        if _ends_within_an_object(data, end):
            return True
        return _lacks_objects(path, _named(data))


def _content_end(data: mmap.mmap) -> int:
    """Offset at which padding begins."""
    end = len(data)
    while end:
        start = max(0, end - 65_536)
        rest = data[start:end].rstrip(b"\0 \t\r\n")
        if rest:
            return start + len(rest)
        end = start
    return 0


def _shorter_than_declared(data: mmap.mmap, end: int) -> bool:
    head = data[:LENGTH_WITHIN]
    found = re.search(rb"/Linearized\b.{0,200}?/L\s+(\d+)", head, re.DOTALL) or re.search(
        rb"/L\s+(\d+).{0,200}?/Linearized\b", head, re.DOTALL
    )
    return found is not None and int(found[1]) > len(data) and end > LENGTH_WITHIN


def _ends_within_an_object(data: mmap.mmap, end: int) -> bool:
    """Return whether an object begins after the last one that ended, other than a cross-reference stream."""
    last = max(0, data.rfind(b"endobj", 0, end))
    begun = OBJECT.search(data[last : min(end, last + 65_536)])
    return begun is not None and b"/XRef" not in data[last : min(end, last + 65_536)]


def _named(data: mmap.mmap) -> set[tuple[int, int]]:
    """Objects that pages name. Taken from the bytes: qpdf strikes out those that are not there."""
    return {(int(a), int(b)) for found in NAMED.findall(data) for a, b in REFERENCE.findall(found)}


def _lacks_objects(path: Path, named: set[tuple[int, int]]) -> bool:
    """Return whether any of `named` is not in the file, or pages refer to objects that are not."""
    import pikepdf

    try:
        with pikepdf.open(path) as pdf:
            references = _references(pdf)
            pages = [number for number, one in references.items() if one.is_page]
            return not pages or not _reached(references, pages) | named <= references.keys()
    except pikepdf.PasswordError:
        return False
    except Exception:  # a torn file does what it likes to a parser
        return True


@dataclass
class _Referring:
    is_page: bool
    to: set[tuple[int, int]]


def _references(pdf: Any) -> dict[tuple[int, int], _Referring]:
    """References of each object of the file, by object number and generation."""
    import pikepdf

    found: dict[tuple[int, int], _Referring] = {}
    for one in itertools.islice(pdf.objects, OBJECTS_MAX):
        if isinstance(one, pikepdf.Object):
            described = one.stream_dict if isinstance(one, pikepdf.Stream) else one
            text = described.unparse(resolved=True)
            is_page = isinstance(one, pikepdf.Dictionary) and str(one.get("/Type")) in ("/Page", "/Pages")
            found[one.objgen] = _Referring(is_page, {(int(a), int(b)) for a, b in REFERENCE.findall(text)})
    return found


def _reached(references: dict[tuple[int, int], _Referring], start: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """Every object that can be come to from `start`, those that are missing included."""
    reached, waiting = set(start), list(start)
    while waiting:
        known = references.get(waiting.pop())
        for other in (known.to if known else set()) - reached:
            reached.add(other)
            waiting.append(other)
    return reached
