"""`/metrics` for Prometheus. No key is asked for: it counts, and names queues, job types, rules and nobody."""

from typing import Any

from litestar import Request, Response, get
from prometheus_client.exposition import choose_encoder

from service.api.dependencies import Wired
from service.api.prometheus import families


@get("/metrics", include_in_schema=False)
async def metrics(request: Request[Any, Any, Any], services: Wired) -> Response[bytes]:
    """Text, or OpenMetrics for a scraper that asks for it."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(await families(services)), media_type=media_type)
