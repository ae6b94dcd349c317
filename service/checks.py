"""What a job type's `accepts` may ask before a payload is queued."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from service.documents.store import NoSuchFile
from service.services import Services
from tasks.ports.files import StoredFile
from tasks.sdk.errors import Refused

T = TypeVar("T")


@dataclass(frozen=True)
class Checks:
    """Asks on behalf of one owner, who sees only what is its own."""

    services: Services
    owner: str

    async def file(self, file_id: str, field: str = "file_id") -> StoredFile:
        """Metadata of the owner's file. Raises Refused (404), naming `field`."""
        try:
            return await self.services.files.describe(file_id, self.owner)
        except NoSuchFile as error:
            raise Refused(str(error), field=field, status_code=404) from None

    async def files(self, file_ids: Sequence[str], field: str = "file_ids") -> None:
        """See that all are the owner's files. Raises Refused (404), naming `field` and the first that is not."""
        owned = await self.services.files.owned(file_ids, self.owner)
        for file_id in file_ids:
            if file_id not in owned:
                raise Refused(str(NoSuchFile(file_id)), field=field, status_code=404)

    def use(self, port: type[T]) -> T:
        """What is offered under a protocol of tasks/ports/. Raises KeyError for one that nobody offers."""
        return cast(T, self.services.runtime.ports[port])
