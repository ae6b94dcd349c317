"""Keys of access in Redis, and when they are removed."""

from service.engine.store.keys import PREFIX

REFUSED = PREFIX + "refused-credentials"
"""Hash: number of refused credentials by `kind:outcome`. One key forever."""


def returned(digest: str) -> str:
    """String: a sign-in, by the digest of its state, that has come back from the identity provider. Expires with it."""
    return f"{PREFIX}signed-in:{digest}"


def failed(subject: str) -> str:
    """Set: digests of different credentials that failed for a subject within a window. Expires with the window."""
    return f"{PREFIX}failed:{subject}"
