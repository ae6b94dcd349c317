"""A page without the layers that are switched off. PDFium draws none of them, but gives their text."""

from collections.abc import Iterator, Set
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pikepdf import Pdf

PAINTING_PATHS = frozenset(("f", "F", "f*", "B", "B*", "b", "b*", "S", "s"))
"""Operators that paint a path and end it; `n` ends it unpainted."""

PAINTING = frozenset(("Tj", "TJ", "'", '"', "sh", "Do", "INLINE IMAGE"))
"""The others that leave something on the page."""

FORM_DEPTH = 8
"""Forms within forms that are followed."""

Groups = Set[tuple[int, int]]


def without_layers(path: Path, index: int, off: Groups) -> bytes:
    """Page `index` (from 0) as a PDF of its own, without what belongs to the groups `off` (object numbers)."""
    import pikepdf

    with pikepdf.open(path) as pdf, pikepdf.new() as single:
        page = pdf.pages[index]
        page.obj.Contents = pikepdf.Stream(pdf, _shown(pdf, page, page.resources, off, FORM_DEPTH))
        single.pages.append(page)
        file = BytesIO()
        single.save(file)
        return file.getvalue()


def _shown(pdf: "Pdf", holder: Any, resources: Any, off: Groups, depth: int) -> bytes:
    """The content of a page or form, without what is hidden."""
    import pikepdf

    return pikepdf.unparse_content_stream(list(_instructions(pdf, holder, resources, off, depth)))


def _instructions(pdf: "Pdf", holder: Any, resources: Any, off: Groups, depth: int) -> Iterator[Any]:
    import pikepdf

    properties, objects = resources.get("/Properties", {}), resources.get("/XObject", {})
    marks: list[bool] = []
    for instruction in pikepdf.parse_content_stream(holder):
        operator, operands = str(instruction.operator), instruction.operands
        if operator in ("BDC", "BMC"):
            marks.append(
                operator == "BDC" and str(operands[0]) == "/OC" and _is_off(_property(operands[1], properties), off)
            )
        elif operator == "EMC" and marks:
            marks.pop()
        hidden = any(marks)
        if operator == "Do" and not hidden:
            target = objects.get(str(operands[0]))
            hidden = target is not None and _is_off(target.get("/OC"), off)
            if not hidden and target is not None:
                _strip_form(pdf, target, resources, off, depth)
        if hidden and operator in PAINTING_PATHS:
            yield pikepdf.ContentStreamInstruction([], pikepdf.Operator("n"))
        elif not (hidden and operator in PAINTING):
            yield instruction


def _strip_form(pdf: "Pdf", form: Any, resources: Any, off: Groups, depth: int) -> None:
    if depth and str(form.get("/Subtype")) == "/Form":
        form.write(_shown(pdf, form, form.get("/Resources", resources), off, depth - 1))


def _property(operand: Any, properties: Any) -> Any:
    return properties.get(str(operand)) if str(operand).startswith("/") else operand


def _is_off(content: Any, off: Groups) -> bool:
    """True where a group, or a membership of groups by its policy (ISO 32000-1, 8.11.2.2), is not shown."""
    import pikepdf

    if content is None:
        return False
    if str(content.get("/Type")) != "/OCMD":
        return content.objgen in off
    named = content.get("/OCGs")
    groups = list(named) if isinstance(named, pikepdf.Array) else [named] if named is not None else []
    states = [group.objgen not in off for group in groups]
    if not states:
        return False
    match str(content.get("/P", "/AnyOn")):
        case "/AllOn":
            return not all(states)
        case "/AnyOff":
            return all(states)
        case "/AllOff":
            return any(states)
        case _:
            return not any(states)
