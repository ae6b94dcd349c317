"""Amounts in words, for sentences everywhere."""


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun, such as 1 page or 1,200 pages. `many` is the plural where it is not the singular with an s.

    In another language the noun is found by its own entry: service/lib/sentences/places.py lists those that are used.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
