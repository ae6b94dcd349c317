"""Lists whose filters stand in their addresses: read out of one, and written into one."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode


def given(query: Mapping[str, str], fields: Sequence[str]) -> dict[str, str]:
    """The filters in an address that are not empty. Unknown parameters are passed over."""
    return {name: value for name in fields if (value := query.get(name, "").strip())}


def list_address(path: str, pairs: Mapping[str, str]) -> str:
    """The address of a list with those filters that are not empty."""
    chosen = {name: value for name, value in pairs.items() if value}
    return f"{path}?{urlencode(chosen)}" if chosen else path
