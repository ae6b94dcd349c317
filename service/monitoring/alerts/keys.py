"""Keys of the alerts in Redis, and when they are removed."""

from service.engine.store.keys import PREFIX

ALERTS = PREFIX + "alerts"
"""Hash: where each alert rule stands for each subject. As many as rules and subjects; an entry goes with its subject."""

ALERT_MUTES = PREFIX + "alert-mutes"
"""Hash: rules of which nothing is sent for a while. As many as there are rules; one that is over goes when it is read."""

ALERT_RULES = PREFIX + "alert-rules"
"""Hash: what operators changed of alert rules, and the rules that they added (100 at most). An entry goes as its rule is as it was
declared, or is removed."""

ALERT_HISTORY = PREFIX + "alert-history"
"""List: the last 500 events of alerts, newest first. Cut with every entry."""

CHANNELS = PREFIX + "channels"
"""Hash: how each receiver of alerts stands. Two at most."""

NOT_READY = PREFIX + "not-ready"
"""String: the machine that has told of an outage of the database or the storage. Goes with its end, or after an hour."""


def outbox(channel: str) -> str:
    """List: what waits to be sent to a receiver, oldest first: 500 at most, three days at most. Cut by the maintenance leader."""
    return f"{PREFIX}outbox:{channel}"


def sent(message_id: str) -> str:
    """String: that something was given to the outbox, so that it is not again. Expires with its kind's time."""
    return f"{PREFIX}said:{message_id}"
