"""Places where code gives a sentence to people: calls, keywords and functions, by their names."""

PLACES: dict[str, tuple[int, ...]] = {
    "FieldError": (1,),
    "error_response": (1,),
    "__init__": (),
    "stage": (1,),
    "Check": (0, 2),
    "Notice": (0,),
    "Rule": (3, 4),
    "Measure": (0, 1),
    "Fault": (1,),
    "Outage": (1,),
    "_badge": (1,),
    "GroupBadge": (0, 3),
    "Health": (2, 3, 6),
    "WebSocketException": (),
    "Step": (0, 3),
    "Link": (0,),
    "Guide": (1, 2, 4),
    "Cause": (1, 2),
    "cause": (1, 2),
}
"""Calls, with the indexes of the arguments that are shown; an empty tuple for all of them."""

KEYWORDS = frozenset(
    {"message", "detail", "note", "sentence", "reason", "warning", "progress", "hint", "meaning", "summary"}
)

WRAPPERS = frozenset({"as_sentence", "with_stop", "str", "_"})

NUMBERS = {"number": "number", "size": "size", "duration": "duration", "whole": "duration", "rate": "rate"}

PHRASE_CALLS = frozenset({"_jobs", "_count", "counted", "_in", "points", "_pages", "_period", "last_reason"})
"""Functions that give a phrase of ours for a value: it is translated where it stands in a sentence."""

UNSHOWN = frozenset(
    [
        "debug",
        "info",
        "warning",
        "error",
        "exception",
        "critical",
        "compile",
        "match",
        "fullmatch",
        "sub",
        "search",
        "split",
        "text",
        "execute",
        "ResponseSpec",
        "partition",
        "startswith",
        "endswith",
        "removeprefix",
        "removesuffix",
        "replace",
        "rstrip",
        "strip",
        "getLogger",
        "get_logger",
        "audit_detail",
        "record_sign_in",
        "index",
        "count",
        "Literal",
        "TypeVar",
        "NewType",
        "import_module",
        "add_argument",
        "option",
        "argument",
        "command",
        "encode",
        "Field",
        "StringConstraints",
    ]
)
"""Calls whose arguments no person reads, or which a document in English holds."""

ROUTES = frozenset({"get", "post", "put", "patch", "delete", "head", "route", "websocket"})
"""Decorators of routes, whose `summary` is for the document of the API."""

UNSHOWN_KEYWORDS = frozenset(
    [
        "description",
        "media_type",
        "headers",
        "opt",
        "path",
        "pattern",
        "help",
        "examples",
        "example",
        "format",
        "prefix",
        "alias",
        "css",
        "icon",
    ]
)

LEFT_OUT = (
    "service/cli/",
    "service/supervisor/",
    "service/database/migrat",
    "service/database/postgres_url.py",
    "service/database/seed",
    "service/database/start.py",
    "service/documents/corrections/export.py",
    "service/engine/pool/cpu_pool.py",
    "service/engine/redis/c",
    "service/engine/redis/key_positions.py",
    "service/engine/redis/s",
    "service/engine/store/scripts.py",
    "service/api/openapi.py",
    "service/api/prometheus.py",
    "service/lib/parent_death.py",
    "service/lib/ports.py",
    "service/lib/sandbox/",
    "service/lib/sentences/",
    "service/monitoring/alerts/prometheus_rules.py",
    "service/monitoring/tracing/",
    "tasks/exports/data",
    "tasks/exports/query.py",
    "tasks/exports/source",
    "tasks/exports/xlsx_file.py",
    "tasks/ocr/networks/",
    "tasks/video/ffmpeg.py",
    "tasks/ocr/ppocr/",
    "tasks/ocr/synthetic/",
    "tasks/ocr/easyocr_decoding/",
    "tasks/reports/",
    "tasks/sdk/chain.py",
    "tasks/sdk/extend.py",
    "tasks/sdk/limits.py",
    "tasks/sdk/packages.py",
    "tasks/sdk/testing",
    "tasks/sdk/version.py",
    "tasks/workers.py",
    "dashboard/schedules/cron_words.py",
    "dashboard/translation/",
)
"""Modules that say nothing to a reader of pages or of the API: the command line, declarations and the start of a process,
which developers and administrators read, and files that are not translated."""

PHRASED = (
    "dashboard/",
    "service/api/health.py",
    "service/engine/blocked.py",
    "service/engine/plans.py",
    "service/engine/holds.py",
    "service/engine/left_behind.py",
    "service/engine/service_breakers.py",
    "service/engine/outcomes.py",
    "service/engine/enqueuer.py",
    "service/engine/worker/",
    "service/engine/store/breakers.py",
    "service/engine/store/errors.py",
    "service/engine/store/store.py",
    "service/engine/pool/slot.py",
    "service/engine/redis/away.py",
    "service/engine/redis/retry.py",
    "service/engine/schedules/",
    "service/engine/job_query/",
    "service/lib/outages.py",
    "service/lib/clamd.py",
    "service/mail/",
    "service/documents/",
    "service/monitoring/alerts/",
    "service/monitoring/owner_alerts/",
    "service/monitoring/readiness.py",
    "service/monitoring/storage_usage/",
    "service/monitoring/weekly_report.py",
    "service/monitoring/changes/",
    "service/webhooks/",
    "tasks/",
    "settings/alert_rules.py",
    "settings/alert_faults.py",
    "settings/plans.py",
    "settings/schedules.py",
)
"""Modules whose phrases are shown too: they are put together with others, or stand in a table."""

UNITS = (
    "job",
    "page",
    "document",
    "message",
    "row",
    "worker",
    "slot",
    "webhook",
    "try",
    "recipient",
    "file",
    "photo",
    "point",
    "second",
    "minute",
    "hour",
    "unit",
    "image",
    "megapixel-second",
    "word",
    "byte",
    "setting",
    "key",
    "server",
    "timeout",
    "character",
    "value",
)
"""Nouns of amounts: units of the job types, and those that `counted` is called with."""

EXTRA = (
    # Of http.HTTPStatus: releases of Python differ in two of them.
    *("Bad Request", "Unauthorized", "Forbidden", "Not Found", "Method Not Allowed", "Conflict", "Gone"),
    *("Request Entity Too Large", "Content Too Large", "Unsupported Media Type", "Unprocessable Entity"),
    *(
        "Unprocessable Content",
        "Too Many Requests",
        "Internal Server Error",
        "Service Unavailable",
        "Insufficient Storage",
    ),
    *("All jobs", "All documents", "All templates", "resolved", "critical", "error", "warning"),
    *("Done", "queued", "scheduled", "active", "retrying", "completed", "failed", "cancelled", "expired"),
    *(f"{{count_number}} {unit}" for unit in UNITS),
    *(f"{{count_number}} {unit}s" if unit != "try" else "{count_number} tries" for unit in UNITS),
)
"""Words that are shown as they are stored, and amounts that are put together."""
