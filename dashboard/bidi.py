"""Signs that turn the direction of writing, made visible on every page: a name with one would be read as another.

Errors, log lines, reasons and names come from elsewhere. A sign in them could also turn round what stands after it.
"""

import re
from typing import Any

from jinja2 import Template

TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Embeddings, overrides, isolates and their ends. Marks of direction (U+200E, U+200F, U+061C) turn nothing: texts in
Arabic and Hebrew have them."""

PART = re.compile(r"(<textarea.*?</textarea>|<[^<>]*>)", re.DOTALL)
"""Tags, and the text of a field: what is typed there comes back as it was."""

SHOWN_ATTRIBUTE = re.compile(r'(\s(?:title|alt|aria-label|placeholder)=")([^"]*)(")')

SIGNS = str.maketrans({sign: f"⟨U+{ord(sign):04X}⟩" for sign in TURNING})


class VisibleTemplate(Template):
    """A template whose text shows such signs instead of obeying them."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        """As its base."""
        return visible_signs(super().render(*args, **kwargs))


def visible_signs(html: str) -> str:
    """The page with the signs in its text, and in attributes that a reader is shown or hears, written out as `⟨U+202E⟩`."""
    if not any(sign in html for sign in TURNING):
        return html
    parts = PART.split(html)
    return "".join(_in_tag(part) if place % 2 else part.translate(SIGNS) for place, part in enumerate(parts))


def _in_tag(tag: str) -> str:
    if tag.startswith("<textarea"):
        return tag
    return SHOWN_ATTRIBUTE.sub(lambda found: found[1] + found[2].translate(SIGNS) + found[3], tag)
