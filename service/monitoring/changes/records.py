"""Records of changes. Times in ms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from service.database.audit import Event
from service.lib.sentences.recogniser import shown

Kind = Literal["deploy", "settings", "operator", "breaker", "worker", "alert"]

Part = Literal["web", "worker", "mark"]
"""Part of the installation of which a new version was seen, or a mark that was set by hand or by a pipeline."""


class Deploy(msgspec.Struct, frozen=True):
    """A version that came, or a mark."""

    at_ms: int
    part: Part
    text: str
    """The version, or the text of the mark."""
    by: str = ""
    """Operator or program that set the mark."""

    @property
    def words(self) -> str:
        return self.text if self.part == "mark" else f"{self.part} {self.text}"


class SettingsChange(msgspec.Struct, frozen=True):
    """Settings that differ from those of the last start of the same kind of process. Secrets are named, never shown."""

    at_ms: int
    process: str
    differences: list[str]


class WorkerLife(msgspec.Struct, frozen=True):
    """A worker from its first report to its last."""

    id: str
    queue: str
    host: str
    pid: int
    version: str
    slots: int
    started_ms: int
    last_ms: int
    ended: Literal["", "stopped", "died"] = ""
    """Empty while it lives; died where it fell silent without a word."""

    def there(self, first_ms: int, last_ms: int) -> bool:
        """True where it lived at some time of the span."""
        return self.started_ms <= last_ms and (not self.ended or self.last_ms >= first_ms)


@dataclass(frozen=True)
class Change:
    """One line of a list of changes. `link` is the path of the page that tells more; `by` may be empty."""

    at_ms: int
    kind: Kind
    parts: Sequence[str]
    """Phrases of the line, without the semicolons between them."""
    by: str
    link: str
    event: Event | None = None
    """The line of the audit log that it was made of."""
    process: str = ""
    """The kind of process whose settings changed."""

    @property
    def words(self) -> str:
        """The line in the reader's language: each phrase that has a translation is shown in it."""
        return (f"{self.process}: " if self.process else "") + "; ".join(map(shown, self.parts))
