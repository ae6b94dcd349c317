"""View of a job's page, as the address carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

DIGITS_MAX = 9
"""Longer numbers name no page, and some databases cannot take them."""


@dataclass(frozen=True)
class View:
    """`page` counts from 1; recipients behind position `after`, of one `outcome` where one is named."""

    page: int = 1
    after: int = 0
    outcome: str = ""

    def query(self, **changes: int | str) -> str:
        """The end of an address: empty, or from its question mark on."""
        changed = replace(self, **changes)  # type: ignore[arg-type]  # templates name only fields of this class
        pairs = {name: value for name, value in vars(changed).items() if value != getattr(VIEW, name)}
        return f"?{urlencode(pairs)}" if pairs else ""


VIEW = View()
"""The view without a query."""


def from_address(query: Mapping[str, str]) -> View:
    """The view in an address. What makes no sense is passed over."""
    return View(max(1, _whole(query.get("page"), 1)), _whole(query.get("after"), 0), query.get("outcome", "")[:20])


def _whole(given: str | None, default: int) -> int:
    return int(given) if given and len(given) <= DIGITS_MAX and given.isascii() and given.isdigit() else default
