"""Removal of a page's own invisible text, where it was found not to say what the page shows, or was to be ignored."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pikepdf import Pdf

INVISIBLE_MODES = (3, 7)
"""Text rendering modes that leave no mark (ISO 32000-1, table 106)."""

SHOWING = frozenset(("Tj", "TJ", "'", '"'))

FORM_DEPTH = 8
"""Forms within forms that are followed."""


def remove_invisible_text(pdf: "Pdf", page: Any) -> None:
    """Drop text that the page does not draw. Content that cannot be parsed stays as it is."""
    import pikepdf

    try:
        page.obj.Contents = pikepdf.Stream(pdf, _visible(page, page.resources, FORM_DEPTH))
    except Exception:  # the page is shown as before, with its old text under the new
        return


def _visible(holder: Any, resources: Any, depth: int) -> bytes:
    import pikepdf

    return pikepdf.unparse_content_stream(list(_instructions(holder, resources, depth)))


def _instructions(holder: Any, resources: Any, depth: int) -> Iterator[Any]:
    import pikepdf

    mode, saved = 0, []
    objects = resources.get("/XObject", {})
    for instruction in pikepdf.parse_content_stream(holder):
        operator = str(instruction.operator)
        if operator == "q":
            saved.append(mode)
        elif operator == "Q" and saved:
            mode = saved.pop()
        elif operator == "Tr":
            mode = int(instruction.operands[0])
        elif operator == "Do" and depth:
            form = objects.get(str(instruction.operands[0]))
            if form is not None and str(form.get("/Subtype")) == "/Form":
                form.write(_visible(form, form.get("/Resources", resources), depth - 1))
        if not (operator in SHOWING and mode in INVISIBLE_MODES):
            yield instruction
