"""Where alerts go."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from settings.urls import url_of


class Alerts(BaseModel):
    """Receivers of alerts. Where neither is set, alerts are kept and shown, and sent nowhere."""

    model_config = ConfigDict(frozen=True)

    slack_webhook_url: Annotated[str, url_of("http", "https", host=True)] | None = Field(
        default=None, repr=False, description="an http:// or https:// URL", json_schema_extra={"secret": True}
    )
    pager_webhook_url: Annotated[str, url_of("http", "https", host=True)] | None = Field(
        default=None, repr=False, description="an http:// or https:// URL", json_schema_extra={"secret": True}
    )
