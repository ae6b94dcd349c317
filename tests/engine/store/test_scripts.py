"""What the head of each Lua file says: what it is put together from, and what a server without memory lets it do."""

import re

import pytest
from redis.exceptions import ResponseError

from service.engine.store import Store
from service.engine.store.scripts import FOLDER, Script, head_of

SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.lua"))
INCLUDES = {path.stem for path in (FOLDER / "includes").glob("*.lua")}

MAKING_ROOM_OR_BOUNDED = {
    "cancel", "checkpoint", "claim", "count", "delete", "expire", "heartbeat", "lead", "leave_service", "limits",
    "progress", "purge", "rate_limit", "renew", "return_parked", "rewrap", "rewrap_rows", "rollup", "settle",
    "small_writes", "use_service",
}  # fmt: skip
"""What ends in freeing memory, or needs no more for its jobs' being more."""


def test_what_makes_jobs_is_refused_where_there_is_no_memory() -> None:
    allowed = {name for name in SCRIPTS if "allow-oom" in head_of((FOLDER / f"{name}.lua").read_text()).shebang}
    assert allowed == MAKING_ROOM_OR_BOUNDED
    assert {"enqueue", "enqueue_external", "parts", "log", "schedule", "retry"}.isdisjoint(allowed)


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_script_names_what_it_calls(name: str, store: Store) -> None:
    head = head_of((FOLDER / f"{name}.lua").read_text())
    assert {*head.includes, *head.when_called} <= INCLUDES
    # The server reads the whole: a slip in it is found without a job.
    assert await store.redis.script_load(Script(name).text)


@pytest.mark.parametrize("name", SCRIPTS)
def test_arguments_have_names(name: str) -> None:
    """ARGV is read at the head, or goes on as a list; no number of it stands in the middle of what a script does."""
    body = (FOLDER / f"{name}.lua").read_text()
    for line in body.splitlines():
        if re.search(r"ARGV\[\d+\]", line):
            assert line.startswith("local "), line


def test_a_file_without_a_head_is_no_script() -> None:
    with pytest.raises(ValueError, match="begins with #!lua"):
        head_of("-- only a comment\n")


async def test_an_error_ends_a_script_before_anything_noted_is_written(store: Store) -> None:
    script = Script("count")
    script.text = script.text.replace("return 1\n", "error('later than the counting')\n")
    with pytest.raises(ResponseError, match="later than the counting"):
        await store.redis.execute_command("EVAL", script.text, 0, "thumbnails", "mails", 3)
    assert await store.redis.keys("*") == []
