"""Address that the web application listens on."""

from pydantic import BaseModel, ConfigDict, Field


class Web(BaseModel):
    """Address of the web application."""

    model_config = ConfigDict(frozen=True)

    host: str = Field(
        default="127.0.0.1", pattern=r"^[A-Za-z0-9._:-]+$", description="an address or a host name, such as 0.0.0.0"
    )
    """Loopback unless an operator opens it: the generated credentials of a first run should not face a network."""

    port: int = Field(default=8000, ge=1, le=65_535)
    """Where uvicorn, and a reader's fingers, expect it."""

    @property
    def web_url(self) -> str:
        """The address a browser or the command line on this machine uses."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
