"""Words and badges of an error group's states."""

from dataclasses import dataclass

from service.engine.store.error_groups import GroupState


@dataclass(frozen=True)
class LifeLook:
    """`css` carries the tone, `icon` names a symbol, `meaning` is for the reader, `verb` leads there by a button."""

    word: str
    css: str
    icon: str
    meaning: str
    verb: str


LIVES: dict[GroupState, LifeLook] = {
    "open": LifeLook("Open", "health-bad", "failed", "Nobody has dealt with it yet", "Reopen"),
    "regressed": LifeLook("Regressed", "health-bad", "retrying", "It was resolved, and came back", "Reopen"),
    "ignored": LifeLook("Ignored", "state-cancelled", "cancelled", "Known, and left alone", "Ignore"),
    "resolved": LifeLook(
        "Resolved", "health-good", "completed", "Mended; it regresses when it is seen again", "Resolve"
    ),
}
