"""The web root: the JSON API, the dashboard and the static files over one set of open services. It only wires."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.template import TemplateConfig

import service.lib.held_collector as collector  # the first: while it is held, imports are cheaper
from dashboard.alert_mail_link.views import alert_mail_link_routes
from dashboard.assets import static_routes
from dashboard.client_modules import client_module
from dashboard.correction_link.views import correction_link_routes
from dashboard.dependencies import shared_figures
from dashboard.proxy_sign_in import VISITORS
from dashboard.routes import dashboard_routes
from dashboard.security_headers import add_security_headers
from dashboard.status_link.views import status_link_routes
from dashboard.templating import Pages
from dashboard.translation import catalogue
from service.access.proxy_headers import NotesPeer, Visitors
from service.api import EXCEPTION_HANDLERS, api_routes, cross_origin, openapi_config
from service.api.cut_short import CutShort
from service.database.start import check_database
from service.lib.async_tasks import end
from service.lib.languages import add_translations_of
from service.lib.sentences import recogniser as sentences
from service.monitoring.alerts.not_ready import NotReady
from service.monitoring.changes.wiring import report_web_forever
from service.monitoring.logging import configure_logs, log_problems
from service.monitoring.tracing import open_tracing
from service.services import Services, open_services
from settings import Settings, load_settings
from settings.alert_faults import refuse_bad_rules
from settings.private_files import private_folder
from tasks.sdk.packages import LOADED
from tasks.sdk.types import REGISTRY

collector.release()


def create_app(settings: Settings | None = None) -> Litestar:
    """The app, for `uvicorn --factory dashboard.app:create_app`. Without `settings` it is a process of its own: it reads
    its environment and sets up its logs.
    """
    tracing = None
    if settings is None:
        settings = load_settings()
        refuse_bad_rules(job_types=REGISTRY)
        add_translations_of(LOADED)
        private_folder(settings.data_dir)
        configure_logs(settings)
        log_problems()
        check_database(settings.database_url)
        # They take 70 ms, which the first German request would have to wait, and all others with it.
        sentences.prepare()
        catalogue.prepare()
        # Nor need the collector look through them.
        collector.release()
        tracing = open_tracing("web")

    @contextlib.asynccontextmanager
    async def services_open(app: Litestar) -> AsyncIterator[None]:
        async with open_services(settings, tracing=tracing) as services:
            app.state.update({"services": services, **shared_figures(services)})
            watch = asyncio.create_task(NotReady(services.settings, services.redis, services.readiness).watch_forever())
            report = asyncio.create_task(report_web_forever(services.changes, settings, version("offload")))
            try:
                yield
            finally:
                await end(watch, report)

    app = Litestar(
        route_handlers=[
            *api_routes(),
            *dashboard_routes(),
            status_link_routes(),
            correction_link_routes(),
            alert_mail_link_routes(),
            client_module,
            *static_routes(),
        ],
        dependencies={"services": Provide(_services, sync_to_thread=False)},
        lifespan=[services_open],
        middleware=[CutShort(), *(tracing.middleware() if tracing else [])],
        state=State({"settings": settings, VISITORS: Visitors(settings.session_idle.total_seconds())}),
        exception_handlers=EXCEPTION_HANDLERS,
        cors_config=cross_origin(settings),
        openapi_config=openapi_config(),
        # Litestar's own would take over the root logger, and alembic's lines with it.
        logging_config=None,
        before_send=[add_security_headers],
        template_config=TemplateConfig(instance=Pages()),
    )
    if settings.proxy_auth_from:
        app.asgi_handler = NotesPeer(app.asgi_handler)
    return app


def _services(state: State) -> Services:
    services: Services = state["services"]
    return services
