"""Badge of each state: the word and the icon that always stand beside its colour (static/tokens.css)."""

from dataclasses import dataclass

from service.engine.states import State


@dataclass(frozen=True)
class Look:
    """`icon` names a symbol of static/icons.svg; `css` carries the colour; `meaning` is one line for a reader."""

    word: str
    icon: str
    css: str
    meaning: str


def _look(state: State, meaning: str) -> Look:
    return Look(word=state.value.capitalize(), icon=state.value, css=f"state-{state.value}", meaning=meaning)


LOOKS: dict[State, Look] = {
    State.QUEUED: _look(State.QUEUED, "Ready to run: it stands in its queue"),
    State.SCHEDULED: _look(State.SCHEDULED, "Accepted for a later time"),
    State.ACTIVE: _look(State.ACTIVE, "A worker is on it, or its parts are under way"),
    State.RETRYING: _look(State.RETRYING, "An attempt failed; the next one is due after a pause"),
    State.COMPLETED: _look(State.COMPLETED, "Done, with its result in place"),
    State.FAILED: _look(State.FAILED, "Ended without success: it waits for a decision"),
    State.CANCELLED: _look(State.CANCELLED, "Stopped on request before it was done"),
    State.EXPIRED: _look(State.EXPIRED, "It could not begin before its time was over"),
}


def look(state: State | str) -> Look:
    return LOOKS[State(state)]
