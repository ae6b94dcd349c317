"""Keys of the malware scan in Redis, and when they are removed."""

from service.engine.store.keys import PREFIX

SCANS = PREFIX + "scans"
"""Hash: outcome of a scan to how many there were. Of a fixed size, and never removed."""

SCANNER_AWAY = PREFIX + "scanner-away"
"""Hash: since when the scanner gives no verdict, and why. Goes with its next verdict."""

INFECTED = PREFIX + "infected"
"""Sorted set: ids of documents by the time at which malware was found in them. Entries go after a day, with the next find."""
