"""Keys of the mail server's status in Redis, and when they are removed."""

from service.engine.store.keys import PREFIX

SERVER = PREFIX + "mail-server"
"""Hash: reason, since_ms, next_ms and tries of an absence. Goes when a message is taken, or when sending is given up."""

PROBE = PREFIX + "mail-probe"
"""String: one worker tries an absent server. Expires after a minute."""
