"""`Settings`, every concern in one frozen object, and `load_settings`, which reads the environment once."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, Self

from pydantic import Field, PlainValidator, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from settings.access import Access
from settings.alert_faults import refuse_bad_rules
from settings.backends import Backends
from settings.credentials import Credentials
from settings.encryption import Encryption
from settings.limits import UploadLimits
from settings.mail import Mail
from settings.malware import Malware
from settings.ocr import Ocr
from settings.oidc import Oidc
from settings.packages import Packages
from settings.plans import Plans
from settings.proxy_auth import ProxyAuth
from settings.queues import QUEUE_TABLE, Queue, QueueSettings, add_named_queues, merged, refuse_unbounded_queues
from settings.receivers import Receivers
from settings.services import SMTP, ExternalServices
from settings.urls import place_url
from settings.validation_messages import sentences, unknown_variables
from settings.watch import Watch
from settings.web import Web
from settings.webhooks import Webhooks
from settings.workers import Workers

PREFIX: Final = "OFFLOAD_"


class Settings(
    Packages,
    Workers,
    Watch,
    Web,
    Webhooks,
    Backends,
    Credentials,
    Encryption,
    Access,
    Oidc,
    ProxyAuth,
    UploadLimits,
    Malware,
    Plans,
    ExternalServices,
    Receivers,
    Ocr,
    Mail,
    BaseSettings,
):
    """All settings. Keyword arguments go before the environment: `Settings(data_dir=folder)`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        # `OFFLOAD_REDIS_URL=` in a compose file means unset, not an empty URL.
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    queues: dict[Annotated[Queue, PlainValidator(Queue)], QueueSettings] = Field(
        default_factory=lambda: dict(QUEUE_TABLE)
    )

    @field_validator("queues", mode="before")
    @classmethod
    def _merge_queues(cls, given: Any) -> Any:
        return merged(given)

    def server_of(self, queue: str) -> str:
        """URL of the server that a queue's jobs stand on: the queue's own, that of all others, or its place in the cluster.
        Raises SystemExit as `queue_server_url` does."""
        return self.queues[Queue(queue)].redis_url or place_url(self.queue_server_url(), queue)

    @model_validator(mode="after")
    def _one_rate_of_mail(self) -> Self:
        """The rate of the service `smtp` is that of its queue: pages and alerts know one."""
        rate = self.services[SMTP].rate_per_minute if SMTP in self.services else 0
        if rate:
            mail = self.queues[Queue.EMAIL_SENDER]
            self.queues[Queue.EMAIL_SENDER] = mail.model_copy(update={"rate_per_minute": rate})
        return self


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from the process's environment. Raises SystemExit: one sentence a bad variable, each naming it."""
    add_named_queues(PREFIX, environment)
    unknown = unknown_variables(Settings, PREFIX, environment)
    if unknown:
        raise SystemExit("\n".join(unknown))
    try:
        return Settings()
    except ValidationError as error:
        raise SystemExit("\n".join(sentences(Settings, PREFIX, environment, error))) from None


@cache
def load_settings() -> Settings:
    """The settings of this process, read once. Raises SystemExit with one sentence for each bad variable, queue or alert rule."""
    refuse_unbounded_queues()
    refuse_bad_rules()
    return read_settings(os.environ)
