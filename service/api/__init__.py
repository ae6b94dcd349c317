"""The JSON API: what the web root mounts."""

from importlib.metadata import version

from litestar import Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

import tasks.sdk.discovery  # noqa: F401  # the routes below are made from the job types that this declares
from service.api import (
    batch,
    correction_links,
    error_docs,
    fairness,
    files,
    health,
    images,
    job_events,
    job_polling,
    jobs,
    languages,
    openapi,
    owner_alerts,
    pages,
    posted_events,
    presigned,
    prometheus,
    schedules,
    templates,
    thumbnails,
    tickets,
    unsubscribe,
    uploads,
    usage,
    videos,
    webhooks,
    workflows,
)
from service.api.audit_middleware import Audited
from service.api.auth import provide_caller, provide_owner, require_key
from service.api.client_gone import ClientGone
from service.api.cross_origin import cross_origin
from service.api.errors import EXCEPTION_HANDLERS
from service.api.nul import refuse_nul
from service.api.reader_language import ReadersLanguage
from service.api.submit import refuse_unknown_type, submit_route
from tasks.sdk.types import REGISTRY

__all__ = ["EXCEPTION_HANDLERS", "api_routes", "cross_origin", "openapi_config"]


def api_routes() -> list[ControllerRouterHandler]:
    """Everything under /api, and the health of the whole. The root provides `services` and EXCEPTION_HANDLERS."""
    submits = [submit_route(job_type) for job_type in REGISTRY.values() if job_type.public]
    keyed = Router(
        "/api",
        route_handlers=[
            files.routes,
            Router("/files", route_handlers=presigned.handlers, tags=["files"]),
            uploads.routes,
            Router(
                "/documents",
                route_handlers=[
                    thumbnails.read_thumbnail,
                    videos.read_video,
                    *pages.handlers,
                    *correction_links.handlers,
                ],
            ),
            templates.routes,
            images.routes,
            languages.routes,
            schedules.routes,
            webhooks.routes,
            owner_alerts.routes,
            workflows.routes,
            usage.routes,
            fairness.routes,
            Router(
                "/jobs",
                route_handlers=[
                    *submits,
                    batch.submit_batch,
                    refuse_unknown_type,
                    *jobs.handlers,
                    *posted_events.handlers,
                    *tickets.handlers,
                    *job_polling.handlers,
                    *job_events.handlers,
                ],
                tags=["jobs"],
            ),
        ],
        guards=[require_key, refuse_nul],
        middleware=[ReadersLanguage(), ClientGone(), Audited()],
        dependencies={
            "owner": Provide(provide_owner, sync_to_thread=False),
            "caller": Provide(provide_caller, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
    )
    return [
        keyed,
        unsubscribe.routes,
        error_docs.routes,
        Router(
            "/",
            route_handlers=[*health.handlers, prometheus.metrics],
            exception_handlers=EXCEPTION_HANDLERS,
            tags=["health"],
        ),
    ]


def openapi_config() -> OpenAPIConfig:
    """The document at /schema."""
    return openapi.openapi_config(version("offload"))
