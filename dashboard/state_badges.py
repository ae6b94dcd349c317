"""Badge of each state: the word and the icon always shown with its colour (static/tokens.css)."""

from dataclasses import dataclass

from service.engine.states import State


@dataclass(frozen=True)
class Badge:
    """`icon` names a symbol of static/icons.svg; `css` carries the colour; `meaning` is one line for a reader."""

    word: str
    icon: str
    css: str
    meaning: str


def _badge(state: State, meaning: str) -> Badge:
    return Badge(word=state.value.capitalize(), icon=state.value, css=f"state-{state.value}", meaning=meaning)


BADGES: dict[State, Badge] = {
    State.QUEUED: _badge(State.QUEUED, "Ready to run: it waits in its queue"),
    State.SCHEDULED: _badge(State.SCHEDULED, "Accepted for a later time"),
    State.ACTIVE: _badge(State.ACTIVE, "A worker runs it, or its parts are running"),
    State.RETRYING: _badge(State.RETRYING, "An attempt failed; the next one is due after a pause"),
    State.COMPLETED: _badge(State.COMPLETED, "Done, with its result in place"),
    State.FAILED: _badge(State.FAILED, "Ended without success: it waits for a decision"),
    State.CANCELLED: _badge(State.CANCELLED, "Stopped on request before it was done"),
    State.EXPIRED: _badge(State.EXPIRED, "It could not begin before its time was over"),
}


def badge(state: State | str) -> Badge:
    return BADGES[State(state)]
