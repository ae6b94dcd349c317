"""Kinds of doubt about a page, told by its sentence: for lists that are filtered by them."""

KINDS = {
    "words": ("read with little certainty", "may be wrong or missing"),
    "unread": ("lies outside all words",),
    "writing": ("Unknown writing",),
    "language": ("ask for the page's language",),
    "nothing": (
        "Nothing could be read",
        "none of it could be read",
        "Hardly anything could be read",
        "has no text layer",
    ),
    "picture": ("cannot be decoded", "is black all over"),
    "layout": ("at a slant", "XFA form"),
    "correction": ("no longer fit",),
}
"""By kind, what its sentences hold. One that holds none of them is of the kind "other"."""

OTHER = "other"

ENDED_BY_WORDS = frozenset({"words", "correction"})
"""Kinds that end once every doubtful word is corrected or confirmed; the others end only when a person says so."""


def kind_of(doubt: str | None) -> str:
    """The kind of a doubt by its sentence."""
    return next((kind for kind, marks in KINDS.items() if any(mark in (doubt or "") for mark in marks)), OTHER)
