"""`TracedEnqueuer`: each job it queues carries the trace of whoever asked for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.semconv._incubating.attributes.messaging_attributes import MESSAGING_MESSAGE_ID

from service.engine.enqueuer import Accepted, Enqueuer
from service.engine.store import Store
from service.engine.store.script_inputs import NewJob
from service.monitoring.tracing.spans import Spans, carried
from settings.queues import Queue, QueueSettings
from tasks.sdk.job import JobType, Payload


class TracedEnqueuer(Enqueuer):
    """An `Enqueuer` that tells what it does."""

    def __init__(self, store: Store, queues: Mapping[Queue, QueueSettings], spans: Spans) -> None:
        super().__init__(store, queues)
        self.spans = spans

    async def enqueue(self, job_type: JobType, payload: Payload, **asked: Any) -> Accepted:
        with self.spans.sending(str(job_type.queue), job_type.name) as span:
            accepted = await super().enqueue(job_type, payload, **asked)
            span.set_attribute(MESSAGING_MESSAGE_ID, accepted.job_id)
            return accepted

    async def enqueue_many(self, job_type: JobType, payloads: Sequence[Payload], **asked: Any) -> list[str]:
        with self.spans.sending(str(job_type.queue), job_type.name, count=len(payloads)):
            return await super().enqueue_many(job_type, payloads, **asked)

    def _request(self, *asked: Any, **more: Any) -> NewJob:
        request = super()._request(*asked, **more)
        request.fields += carried()
        return request
