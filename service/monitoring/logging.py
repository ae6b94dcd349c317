"""Logs: JSON lines in production, readable ones in a terminal; one line an event."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from service.engine.worker.job_log import capture
from service.monitoring.log_secrets import Masker, secret_values
from settings import Settings
from tasks.sdk.packages import PROBLEMS


def configure_logs(settings: Settings) -> None:
    """Send structlog's events to standard error: coloured for a terminal, else one JSON object a line.

    No secret of the settings is in them, nor in a line of any other logger.
    """
    masker = Masker(secret_values(settings))
    masker.install()
    if sys.stderr.isatty():
        renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
            # The richer tracebacks show local variables, secrets among them.
            exception_formatter=structlog.dev.plain_traceback
        )
        factory: Callable[..., Any] = structlog.PrintLoggerFactory(sys.stderr)
    else:
        renderer = structlog.processors.JSONRenderer(serializer=_json_line)
        factory = structlog.BytesLoggerFactory(sys.stderr.buffer)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            masker.processor,
            # Behind the masker: level and time hold no secret, and every line has them.
            structlog.processors.add_log_level,
            stamped,
            capture,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )


_second: tuple[int, str] = (-1, "")


def stamped(_logger: Any, _level: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A step of structlog's: the time in UTC, to the microsecond. What stands before the second's fraction is kept for the
    lines of the same second."""
    global _second
    seconds, nanos = divmod(time.time_ns(), 1_000_000_000)
    kept, written = _second
    if kept != seconds:
        written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        _second = seconds, written
    event["timestamp"] = f"{written}.{nanos // 1000:06d}Z"
    return event


def _json_line(event: dict[str, Any], **_: Any) -> bytes:
    return msgspec.json.encode(event, enc_hook=repr)


def log_problems() -> None:
    """Say which packages of job types were left out, and why."""
    for problem in PROBLEMS:
        structlog.get_logger("offload").error("package.left_out", reason=problem.sentence)
