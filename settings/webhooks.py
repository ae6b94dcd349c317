"""Receivers of webhooks."""

from pydantic import BaseModel, ConfigDict, Field


class Webhooks(BaseModel):
    """Addresses that webhooks may go to."""

    model_config = ConfigDict(frozen=True)

    webhooks_allow_private: bool = Field(default=False, description="true or false")
    """Owners name the addresses, and this installation calls them: within its own network they would reach what no
    stranger should. Installations whose owners are all colleagues may permit it."""
