"""Receivers of alerts and reports."""

from email.utils import parseaddr
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

from settings.urls import url_of


def parse_addresses(given: Any) -> Any:
    """`a@example.com,b@example.com` as a tuple of addresses."""
    if not isinstance(given, str):
        return given
    addresses = tuple(filter(None, (part.strip() for part in given.split(","))))
    if not addresses or any(parseaddr(one)[1] != one or "@" not in one for one in addresses):
        raise ValueError("no such list")
    return addresses


def parse_urls(given: Any) -> Any:
    """`discord://… mailto://…` as a tuple of URLs."""
    if not isinstance(given, str):
        return given
    urls = tuple(given.split())
    if any("://" not in url for url in urls):
        raise ValueError("no such list")
    return urls


class Receivers(BaseModel):
    """Receivers of alerts and reports. Where no webhook is set, alerts are kept and shown, and sent nowhere."""

    model_config = ConfigDict(frozen=True)

    slack_webhook_url: Annotated[str, url_of("http", "https", host=True)] | None = Field(
        default=None, repr=False, description="an http:// or https:// URL", json_schema_extra={"secret": True}
    )
    pager_webhook_url: Annotated[str, url_of("http", "https", host=True)] | None = Field(
        default=None, repr=False, description="an http:// or https:// URL", json_schema_extra={"secret": True}
    )
    """Takes PagerDuty's Events API v2, such as https://events.pagerduty.com/v2/enqueue?routing_key=…"""

    pager_routing_key: str | None = Field(
        default=None, repr=False, description="an integration's key", json_schema_extra={"secret": True}
    )
    """None means the `routing_key` in the URL's query."""

    alert_urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_urls)] = Field(
        default=(),
        repr=False,
        description="Apprise URLs with blanks between them, such as mailto:// msteams:// discord://",
        json_schema_extra={"secret": True},
    )
    """Further receivers of every alert. Commas do not part them: some of these URLs hold commas."""

    alert_language: Literal["en", "de"] = Field(default="en", description="en or de")
    """Language of the alerts that are sent: they go to a team, not to a person whose choice is known."""

    reports_to: Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(parse_addresses)] = Field(
        default=None, description="addresses of operators, separated by commas"
    )
    """Addresses that get the weekly analytics by mail. None means the installation's own address, that of the sender."""
