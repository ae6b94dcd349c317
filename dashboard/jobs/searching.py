"""Guard of searches that could tell what a user may not read."""

from litestar.exceptions import PermissionDeniedException

from dashboard.auth import User
from dashboard.jobs.filters import Filter


def require_readable(chosen: Filter, user: User) -> None:
    """Raises PermissionDeniedException (403) where the filter searches what may be personal and the user may not see it: that
    a job is found, or is not, would tell what its payload says."""
    if not user.sees_personal and chosen.personal:
        raise PermissionDeniedException(unreadable(chosen.personal[0], user))


def unreadable(key: str, user: User) -> str:
    """The sentence for such a key."""
    return f"{user.name} may not see personal data, and a search by {key}: could tell it."
