"""Address that the web application listens on, and the websites that may call it."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

ANY_ORIGIN = "*"

ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?", re.IGNORECASE)
"""As a browser sends it: scheme, host, and port where it is not the scheme's own; no path, no slash at the end."""


def parse_origins(given: Any) -> Any:
    """`https://portal.example,http://localhost:3000`, or `*`, as a tuple of origins. Raises ValueError."""
    if not isinstance(given, str):
        return given
    origins = tuple(filter(None, (part.strip().lower() for part in given.split(","))))
    if not origins or not all(ORIGIN.fullmatch(one) for one in origins if origins != (ANY_ORIGIN,)):
        raise ValueError("no such list")
    return origins


class Web(BaseModel):
    """Address of the web application, and the websites whose pages may call its API."""

    model_config = ConfigDict(frozen=True)

    host: str = Field(
        default="127.0.0.1", pattern=r"^[A-Za-z0-9._:-]+$", description="an address or a host name, such as 0.0.0.0"
    )
    """Loopback unless an operator opens it: the generated credentials of a first run should not face a network."""

    port: int = Field(default=8000, ge=1, le=65_535)
    """The port that uvicorn's users expect."""

    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_origins)] = Field(
        default=(), description="origins such as https://portal.example, separated by commas, or *"
    )
    """Websites whose pages may call the API from their readers' browsers, with tickets. None unless an operator names
    them: what no page needs, no page should be able to try."""

    @property
    def web_url(self) -> str:
        """The address a browser or the command line on this machine uses."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
