"""Words and badges of an error group's states."""

from dataclasses import dataclass

from service.engine.store.error_groups import GroupState


@dataclass(frozen=True)
class GroupBadge:
    """`css` carries the tone, `icon` names a symbol, `meaning` is for the reader, `verb` leads there by a button."""

    word: str
    css: str
    icon: str
    meaning: str
    verb: str


GROUP_BADGES: dict[GroupState, GroupBadge] = {
    "open": GroupBadge("Open", "health-bad", "failed", "Not dealt with yet", "Reopen"),
    "regressed": GroupBadge("Regressed", "health-bad", "retrying", "It was resolved, and came back", "Reopen"),
    "ignored": GroupBadge("Ignored", "state-cancelled", "cancelled", "Known, and left alone", "Ignore"),
    "resolved": GroupBadge(
        "Resolved", "health-good", "completed", "Fixed; it becomes regressed when it is seen again", "Resolve"
    ),
}
