"""The API without the pages, for `uvicorn --factory tests.api.app:create_app` and for the tests in this process."""

import contextlib
from collections.abc import AsyncIterator

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from service.api import EXCEPTION_HANDLERS, api_routes, openapi_config
from service.api.cut_short import CutShort
from service.services import Services, open_services
from settings import load_settings


@contextlib.asynccontextmanager
async def _open(app: Litestar) -> AsyncIterator[None]:
    async with open_services(load_settings()) as services:
        app.state["services"] = services
        yield


def _services(state: State) -> Services:
    services: Services = state["services"]
    return services


def create_app() -> Litestar:
    return Litestar(
        route_handlers=api_routes(),
        dependencies={"services": Provide(_services, sync_to_thread=False)},
        middleware=[CutShort()],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=openapi_config(),
        lifespan=[_open],
        logging_config=None,
    )
