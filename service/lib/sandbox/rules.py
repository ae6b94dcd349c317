"""`Rules`: what a confined process may still do, as plain data that goes to a child or onto a command line."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Rules:
    """Absolute paths and ports. A folder stands for all that is below it; what does not exist is left out."""

    lists: tuple[str, ...] = ()
    """Folders whose names may be listed, and whose files may not be read."""
    reads: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    """Files and folders that may be read, and started as programs."""
    writes: tuple[str, ...] = ()
    temporary: str = ""
    """Folder of `writes` that libraries make temporary files in, and without a network have as their home; empty leaves that
    as it is."""
    network: bool = False
    """True where it may open sockets; `ports` then bounds what it connects to by TCP."""
    ports: tuple[int, ...] | None = None
    """TCP ports to connect to; None for every one."""
    file_bytes: int = 0
    """Largest file that may be written; 0 for no bound of its own."""
    required: bool = False
    """True where the process must not begin unless files and network are held."""

    def json(self) -> str:
        """The rules as one argument of a command line."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def of_json(cls, text: str) -> Self:
        """The rules of such an argument."""
        fields: dict[str, Any] = json.loads(text)
        for name, value in fields.items():
            fields[name] = tuple(value) if isinstance(value, list) else value
        return cls(**fields)
