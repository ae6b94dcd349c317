"""A connection that one caller keeps for itself."""

from service.redis import connect_alone
from tests.waiting import wait_until_async


async def test_the_first_call_after_the_server_has_hung_up_connects_anew(settings_env) -> None:
    url = settings_env["OFFLOAD_REDIS_URL"]
    alone, other = connect_alone(url), connect_alone(url)
    number = await alone.client_id()
    await other.client_kill_filter(_id=str(number))
    await wait_until_async(lambda: alone.connection._reader.at_eof() or alone.connection._reader.exception())
    assert await alone.client_id() != number
    await alone.aclose()
    await other.aclose()
