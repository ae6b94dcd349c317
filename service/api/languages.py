"""OCR languages."""

from litestar import Router, get

from service.api.dependencies import ServicesDep
from service.api.openapi import refusals
from tasks.ocr.languages import Language, languages


@get("/languages", responses=refusals(), summary="Languages of OCR, and the engines that read each")
async def ocr_languages(services: ServicesDep) -> list[Language]:
    """By code, with the writing system of each and the engines that read it here. A job may name those that are installed."""
    return languages(services.settings.data_dir)


routes = Router("/ocr", route_handlers=[ocr_languages], tags=["jobs"])
