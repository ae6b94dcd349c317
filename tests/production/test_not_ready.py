"""The queue server is gone for longer than a restart takes: a web process tells Slack and the pager, over real HTTP."""

from collections.abc import Callable

from service.supervisor.valkey import EmbeddedValkey
from tests.monitoring.receiver import receiving
from tests.production.harness import Installation
from tests.waiting import wait_until_async


async def test_a_web_process_that_is_not_ready_tells_of_it_and_of_the_end(
    install: Callable[..., Installation], queue_server: EmbeddedValkey
) -> None:
    async with receiving() as receiver:
        installation = install(
            OFFLOAD_REDIS_URL=queue_server.url,
            OFFLOAD_SLACK_WEBHOOK_URL=f"{receiver.url}/slack",
            OFFLOAD_PAGER_WEBHOOK_URL=f"{receiver.url}/v2/enqueue?routing_key=key-1",
        )
        installation.start_web()
        async with installation.client() as client:
            assert (await client.get("/health/ready")).status_code == 200
            queue_server.kill()
            assert (await client.get("/health/ready")).status_code == 503
        # It waits for a minute first: restarts and failovers take less.
        await wait_until_async(lambda: len(receiver.taken) == 2, limit_s=180)
        await queue_server.start_async()
        await wait_until_async(lambda: len(receiver.taken) == 4)
    message = [body["text"] for body in receiver.bodies("/slack")]
    assert "has not been ready for" in message[0] and "redis does not work" in message[0]
    assert message[1].startswith("resolved: Offload is ready again") and "redis was out" in message[1]
    events = [(event["event_action"], event["dedup_key"]) for event in receiver.bodies("/v2/enqueue")]
    assert events == [("trigger", "offload:not-ready"), ("resolve", "offload:not-ready")]
