"""Searches every place where an installation keeps anything for a word."""

from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, select

from service.database import Database
from service.engine.redis.client import Client


async def in_redis(redis: Client, word: bytes) -> list[str]:
    """Keys whose name or content holds the word."""
    names = [key async for key in redis.scan_iter(count=1_000)]
    return [key.decode() for key in names if word in key or word in repr(await _content(redis, key)).encode()]


async def _content(redis: Client, key: bytes) -> Any:
    match (await redis.type(key)).decode():
        case "string":
            return await redis.get(key)
        case "hash":
            return await redis.hgetall(key)
        case "list":
            return await redis.lrange(key, 0, -1)
        case "set":
            return await redis.smembers(key)
        case "zset":
            return await redis.zrange(key, 0, -1)
        case "none":
            # Gone since its name was read.
            return None
        case other:
            raise AssertionError(f"nothing here knows how to search a {other}")


async def in_tables(database: Database, word: str) -> list[str]:
    """Tables, as they are in the database, with a row that holds the word."""
    found, metadata = [], MetaData()
    async with database.engine.connect() as connection:
        await connection.run_sync(metadata.reflect)
        for table in metadata.sorted_tables:
            rows = (await connection.execute(select(table))).all()
            found += [f"{table.name}: {row}" for row in rows if word in repr(tuple(row))]
    return found


def in_files(folder: Path, word: bytes) -> list[str]:
    """Files whose path or bytes hold the word."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files, f"there is nothing to search in {folder}"
    return [str(path) for path in files if word in bytes(path) or word in path.read_bytes()]
