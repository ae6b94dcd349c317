"""Facts of a document that PDFium does not give: units, switched-off layers, and forms that only Adobe's programs can draw."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from pikepdf import Pdf

UNIT_MAX = 1_000.0
"""Largest UserUnit that is believed: a page of 200 inches of 1,000/72 inch each is a street."""

XFA_MAX_BYTES = 16 << 20
"""A form's data; beyond, it is not read."""


@dataclass(frozen=True)
class PdfFacts:
    """Facts of one document."""

    user_units: dict[int, float] = field(default_factory=dict)
    """Points in one unit of a page's space, by page from 0, where it is not 1."""
    layers_off: frozenset[tuple[int, int]] = frozenset()
    """Optional content groups, as object numbers, that a viewer does not show."""
    xfa_values: tuple[tuple[str, str], ...] | None = None
    """The fields of a dynamic XFA form, whose own pages are a placeholder; None for any other document."""

    def user_unit(self, index: int) -> float:
        """Points in one unit of page `index` (from 0)."""
        return self.user_units.get(index, 1.0)


def pdf_facts(path: Path) -> PdfFacts:
    """The facts of the PDF at `path`; what cannot be read has none. Kept for the pages that follow."""
    stat = path.stat()
    return _facts(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _facts(path: Path, _mtime_ns: int, _size: int) -> PdfFacts:
    import pikepdf

    try:
        with pikepdf.open(path) as pdf:
            return PdfFacts(_user_units(pdf), _layers_off(pdf), _xfa_values(pdf))
    except Exception:  # what PDFium reads and qpdf does not is read without these facts
        return PdfFacts()


def _user_units(pdf: "Pdf") -> dict[int, float]:
    units: dict[int, float] = {}
    for index, page in enumerate(pdf.pages):
        if "/UserUnit" in page.obj:
            unit = _number(page.obj.UserUnit)
            if unit and 0 < unit <= UNIT_MAX and unit != 1:
                units[index] = unit
    return units


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _layers_off(pdf: "Pdf") -> frozenset[tuple[int, int]]:
    """Groups that are off by the document's default configuration (ISO 32000-1, 8.11.4.3)."""
    properties = pdf.Root.get("/OCProperties")
    if properties is None:
        return frozenset()
    config: Any = properties.get("/D", {})
    groups = {group.objgen for group in properties.get("/OCGs", [])}
    off = set(groups) if str(config.get("/BaseState", "/ON")) == "/OFF" else set()
    off |= {group.objgen for group in config.get("/OFF", [])}
    off -= {group.objgen for group in config.get("/ON", [])}
    return frozenset(off)


def _xfa_values(pdf: "Pdf") -> tuple[tuple[str, str], ...] | None:
    form = pdf.Root.get("/AcroForm")
    if form is None or "/XFA" not in form or _has_widgets(pdf):
        return None
    return tuple(_leaves(_packet(form.XFA)))


def _has_widgets(pdf: "Pdf") -> bool:
    """Return whether fields stand on the pages themselves, as in a static form, which any program can draw."""
    return any(
        str(annotation.get("/Subtype")) == "/Widget"
        for page in pdf.pages
        for annotation in page.obj.get("/Annots", [])
        if hasattr(annotation, "get")
    )


def _packet(xfa: Any) -> bytes:
    """The form's data: the packet `datasets`, or a whole XFA document."""
    import pikepdf

    if isinstance(xfa, pikepdf.Array):
        names = [str(name) for name in list(xfa)[::2]]
        streams = dict(zip(names, list(xfa)[1::2], strict=False))
        found = streams.get("datasets")
        return found.read_bytes() if found is not None else b""
    return bytes(xfa.read_bytes())


def _leaves(packet: bytes) -> list[tuple[str, str]]:
    """Field names and values in the order of the form. Entities are refused: they can unpack without end."""
    if not packet or len(packet) > XFA_MAX_BYTES or re.search(rb"<!(DOCTYPE|ENTITY)", packet, re.IGNORECASE):
        return []
    try:
        root = ElementTree.parse(BytesIO(packet)).getroot()
    except ElementTree.ParseError:
        return []
    data = next((node for node in root.iter() if _name(node) == "data"), root)
    return [
        (_name(node), " ".join(node.text.split()))
        for node in data.iter()
        if not len(node) and node.text and node.text.strip()
    ]


def _name(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
