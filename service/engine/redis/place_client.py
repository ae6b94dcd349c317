"""Clients of a queue's own server, and of a place in a cluster."""

from typing import Any

from arq.connections import ArqRedis
from redis.asyncio.client import Pipeline

from service.engine.redis.away import named
from service.engine.redis.cluster import SlotElsewhere
from service.engine.redis.hash_tag import HashTag

MOVES = 3
"""Moves of a slot that one command follows: two may come close together."""


class PlaceClient(ArqRedis):
    """A client of a queue's own server: its errors say whose server it is."""

    server = ""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        with named(self.server):
            return await self._executed(args, options)

    async def _executed(self, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return await super().execute_command(*args, **options)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Any:
        pipe = PlacePipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.server = self.server
        return pipe


class PlacePipeline(Pipeline):
    """Likewise."""

    server = ""

    async def execute(self, raise_on_error: bool = True) -> Any:
        with named(self.server):
            return await super().execute(raise_on_error)

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        with named(self.server):
            return await super().immediate_execute_command(*args, **options)


class SlotClient(PlaceClient):
    """A client of a place in a cluster: a command that the slot's server of before has refused goes to the present one."""

    in_cluster = True

    async def _executed(self, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        for _ in range(MOVES):
            try:
                return self._plain(args[0], await super()._executed(args, options))
            except SlotElsewhere:
                continue
        return self._plain(args[0], await super()._executed(args, options))

    def _plain(self, command: Any, reply: Any) -> Any:
        """The reply without the tag, where it names keys."""
        if command != "SCAN":
            return reply
        tag: HashTag = self.connection_pool.connection_kwargs["tag"]
        return reply[0], [tag.plain(name) for name in reply[1]]
