"""Unsubscribe links: signed, so that each only unsubscribes its own user, and valid forever."""

import base64
import hashlib
import hmac

from service.database import Database, User
from service.mail.suppression import suppress
from tasks.mail.addresses import BadAddress, compared, deliverable

SIGNATURE_BYTES = 18
"""144 bits of HMAC-SHA256: beyond guessing, and the link stays short."""

PATH = "/unsubscribe"


class BadLink(Exception):
    """A link that was not made here, or was damaged on its way."""

    def __init__(self) -> None:
        super().__init__("This unsubscribe link is not valid.")


class Links:
    """Makes and reads links."""

    def __init__(self, base_url: str, key: bytes) -> None:
        self.base_url = base_url
        self._key = key

    def url(self, user_id: int) -> str:
        """The link for a user: in each message, and in its List-Unsubscribe."""
        return f"{self.base_url}{PATH}/{self.token(user_id)}"

    def token(self, user_id: int) -> str:
        """`<user id>.<signature>`."""
        return f"{user_id}.{self._signature(str(user_id))}"

    def user_id(self, token: str) -> int:
        """User of a link. Raises BadLink."""
        user_id, _, signature = token.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(user_id).encode()):
            raise BadLink
        return int(user_id)

    def _signature(self, user_id: str) -> str:
        digest = hmac.new(self._key, f"unsubscribe {user_id}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:SIGNATURE_BYTES]).decode()


class Unsubscriptions:
    """Effect of following such a link."""

    def __init__(self, database: Database, links: Links) -> None:
        self._database = database
        self._links = links

    async def email(self, token: str) -> str:
        """The address that would be unsubscribed; empty where the user has gone. Raises BadLink."""
        async with self._database.reading() as session:
            user = await session.get(User, self._links.user_id(token))
        return user.email if user else ""

    async def unsubscribe(self, token: str) -> str:
        """Suppress the address from now on; answers it. Doing it twice is doing it once. Raises BadLink."""
        email = await self.email(token)
        try:
            address = compared(deliverable(email))
        except BadAddress:
            return email
        async with self._database.writing() as session:
            await (await session.connection()).run_sync(suppress, address, "unsubscribed")
        return email
