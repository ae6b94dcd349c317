"""Groups of an identity provider, and the rights that each gives at the dashboard."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from settings.credentials import Role
from settings.queues import Queue
from settings.urls import Explained

FORM = "GROUP=ROLE [in QUEUE+QUEUE] [with personal, or without personal]; GROUP=ROLE …"


@dataclass(frozen=True)
class Rights:
    """Rights at the dashboard. `personal` is the right to see personal data; `queues` are empty for all."""

    role: Role
    personal: bool
    queues: tuple[str, ...] = ()


def parse_group_rights(given: Any) -> Any:
    """`ops=operator; mail team=operator in email-sender without personal` as {group: Rights}. Raises Explained.

    A group ends at the last "=" of its entry: names of directories hold others.
    """
    if not isinstance(given, str):
        return given
    found: dict[str, Rights] = {}
    for entry in filter(None, (part.strip() for part in given.split(";"))):
        group, equals, words = (part.strip() for part in entry.rpartition("="))
        if not equals or not group:
            raise Explained(f"has the entry '{entry[:80]}' without a group: write {FORM}")
        if group in found:
            raise Explained(f"names the group '{group[:80]}' twice")
        found[group] = _rights(group, words.split())
    return found


def _rights(group: str, words: list[str]) -> Rights:
    match words:
        case [role]:
            queues, personal = "", ""
        case [role, "in", queues]:
            personal = ""
        case [role, ("with" | "without") as personal, "personal"]:
            queues = ""
        case [role, "in", queues, ("with" | "without") as personal, "personal"]:
            pass
        case _:
            raise Explained(f"gives the group '{group[:80]}' rights that cannot be read: write {FORM}")
    if role not in list(Role):
        raise Explained(f"gives the group '{group[:80]}' the role '{role[:80]}': there are {' and '.join(Role)}")
    named = tuple(sorted(set(queues.split("+")))) if queues else ()
    if unknown := sorted(set(named) - set(map(str, Queue))):
        raise Explained(
            f"gives the group '{group[:80]}' the queue '{unknown[0][:80]}': there are {', '.join(map(str, Queue))}"
        )
    return Rights(Role(role), role == Role.OPERATOR if not personal else personal == "with", named)


def rights_of(groups: Iterable[str], mapping: Mapping[str, Rights]) -> Rights | None:
    """Rights of all the groups together: the greatest role, the queues of all that act. None where no group counts."""
    found = [mapping[group] for group in groups if group in mapping]
    if not found:
        return None
    acting = [one for one in found if one.role is Role.OPERATOR]
    everywhere = not acting or any(not one.queues for one in acting)
    queues = () if everywhere else tuple(sorted({queue for one in acting for queue in one.queues}))
    return Rights(Role.OPERATOR if acting else Role.VIEWER, any(one.personal for one in found), queues)
