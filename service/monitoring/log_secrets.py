"""Secrets kept out of every log line: ours, a library's, a traceback's.

Known ones are masked by their value: all that the settings hold. What is known only by its place (a ticket in an address,
a key that the database has as a digest, a password in a client's URL) is masked by that.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from settings import Settings
from settings.encryption import encoded

MASK = "•••"

VALUE_MIN = 6
"""Characters. Masking what is shorter would hide ordinary words."""

PATTERNS = (
    r"(?<=[?&])(?P<query>(?:token|ticket|key|api_key|secret|password|passwd|routing_key|signature|code|id_token_hint)=)[^&\s\"'<>\\]+",
    r"(?P<scheme>\b(?:bearer|basic)\s+)[A-Za-z0-9+/=_.~-]{8,}",
    r"(?P<user>[a-z][a-z0-9+.-]*://[^\s/:@\"']*:)[^\s/@\"']+(?=@)",
    r"(?P<link>/unsubscribe/)[\w.~-]{8,}",
    r"(?P<alert>/alert-mails/confirm/)[\w.~%-]{8,}",
    r"(?P<page>/[jc]/)[\w.~%-]{8,}",
)
"""Places of secrets in addresses and headers. What is kept of the match is its named group."""

MARKS = ("=", "bearer", "basic", "://", "/unsubscribe/", "/alert-mails/", "/j/", "/c/")
"""Of these a text has one, in small letters, where one of PATTERNS matches it."""


class Masker:
    """Masks what it was given by value, and by place."""

    def __init__(self, secrets: set[str]) -> None:
        known = {form for secret in secrets if len(secret) >= VALUE_MIN for form in _forms(secret)}
        # Longer ones first: one may begin with another.
        values = [re.escape(one) for one in sorted(known, key=len, reverse=True)]
        self._pattern = re.compile("|".join([*values, *PATTERNS]), re.IGNORECASE)
        signs = {re.escape(one) for one in (*MARKS, *map(str.lower, known))}
        self._sign = re.compile("|".join(sorted(signs, key=len, reverse=True))).search

    def text(self, text: str) -> str:
        """The text, with the mask in the place of each secret."""
        # Tried at every character in both cases, the pattern took a fifth of a busy worker's time: most words show at
        # a glance that they hold nothing. Only of ASCII are both cases the same length and the same letters.
        if text.isascii() and not self._sign(text.lower()):
            return text
        return self._pattern.sub(lambda found: (found[found.lastgroup] if found.lastgroup else "") + MASK, text)

    def value(self, value: Any) -> Any:
        """The same for all the text within a value that is logged."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(one) for key, one in value.items()}
        if isinstance(value, list | tuple | set):
            return [self.value(one) for one in value]
        return self.text(repr(value)) if isinstance(value, BaseException) else value

    def processor(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A step of structlog's, to stand behind the one that writes out tracebacks."""
        for name, value in event.items():
            if not isinstance(value, int | float):
                event[name] = self.value(value)
        return event

    def install(self) -> None:
        """Mask every record of the standard library's loggers from now on, whatever handler it goes to."""
        logging.setLogRecordFactory(self.record)

    def record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """A record whose words and traceback hold no secret."""
        made = logging.LogRecord(*args, **kwargs)
        try:
            text = made.getMessage()
        except (TypeError, ValueError):
            # The handler says what is wrong with it.
            return made
        if self.text(text) != text:
            # One by one, for formatters that read them by their places, as uvicorn's does.
            made.msg = self.value(made.msg)
            made.args = tuple(map(self.value, made.args)) if isinstance(made.args, tuple) else made.args
            if self.text(made.getMessage()) != made.getMessage():
                made.msg, made.args = self.text(text), ()
        if made.exc_info and made.exc_info[0] is not None:
            made.exc_text = self.text("".join(traceback.format_exception(*made.exc_info)).rstrip("\n"))
        return made


def secret_values(settings: Settings) -> set[str]:
    """Every secret that the settings hold: keys, passwords, those within URLs, and URLs that are secrets themselves."""
    found = {*settings.api_keys, *(user.password for user in settings.dashboard_users.values())}
    found |= {encoded(key) for key in settings.encryption_keys.values()}
    for name, field in type(settings).model_fields.items():
        extra = field.json_schema_extra
        value = getattr(settings, name)
        if isinstance(extra, dict) and extra.get("secret") and isinstance(value, str):
            found |= set(_within(value))
    return found


def _within(value: str) -> Iterator[str]:
    if "://" not in value:
        yield value
        return
    parts = urlsplit(value)
    if parts.password:
        yield from (parts.password, unquote(parts.password))
    if parts.scheme in ("http", "https") and len(parts.path + parts.query) > 1:
        # A webhook: any client that knows its path may post to it.
        yield value.partition(parts.netloc)[2]


def _forms(secret: str) -> set[str]:
    """As it is, and as JSON and Python write it."""
    return {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]}
