"""Keys of the owners' own alerts in Redis, and when they are removed. finish_job.lua builds both."""

from service.engine.store.keys import PREFIX

OWNERS = PREFIX + "owner-alerts:owners"
"""Hash: owner to the kinds of ends that are counted for it, with blanks between. An entry goes with the owner's last address."""


def ends(owner: str) -> str:
    """Hash: kind of end to its number, and `kind:0` to `kind:9` with the last ids. Goes with the owner's entry in OWNERS."""
    return f"{PREFIX}owner-alerts:ends:{owner}"
