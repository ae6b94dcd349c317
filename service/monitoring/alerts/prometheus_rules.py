"""The alert rules of settings/alert_rules.py in Prometheus' language.

`python -m service.monitoring.alerts.prometheus_rules > docs/monitoring/prometheus-rules.yml` writes them; a test compares.
"""

from collections.abc import Iterator, Mapping

from settings.alert_rules import RULES, Rule

HEAD = """\
# Alert rules for Prometheus, where it is to page rather than Offload itself. Generated from settings/alert_rules.py: run
# python -m service.monitoring.alerts.prometheus_rules > docs/monitoring/prometheus-rules.yml
# Scrape every web process or one of them: all report the same, from the queue server.
"""

EXPRESSIONS: Mapping[str, tuple[str, str]] = {
    "waiting_jobs": (
        'sum by (queue) (offload_queue_jobs{{state=~"queued|retrying"}}) > {threshold}',
        "{{ $value }} jobs wait in {{ $labels.queue }}",
    ),
    "failure_rate": (
        'sum by (queue) (increase(offload_jobs_total{{kind="job", event="failed"}}[{window}]))'
        ' / sum by (queue) (increase(offload_jobs_total{{kind="job", event=~"completed|failed"}}[{window}])) > {threshold}',
        "{{ $value | humanizePercentage }} of the jobs of {{ $labels.queue }} failed",
    ),
    "worker_silent_s": (
        'offload_workers{{state="alive"}} == 0',
        "no worker of {{ $labels.queue }} is alive",
    ),
    "redis_memory_share": (
        "offload_redis_memory_bytes / (offload_redis_memory_max_bytes > 0) > {threshold}",
        "the queue server uses {{ $value | humanizePercentage }} of its memory",
    ),
    "messages_per_minute": (
        "sum(rate(offload_mail_messages_total[{window}])) * 60 < {threshold}"
        ' and on() offload_backlog_seconds{{queue="{of}"}} > 60'
        ' and on() offload_queue_paused{{queue="{of}"}} == 0',
        "only {{ $value }} messages per minute are sent while more wait",
    ),
    "timeouts": (
        'increase(offload_jobs_total{{queue="{of}", event="timeout"}}[{window}]) > {threshold}',
        "{{ $value }} attempts of {{ $labels.queue }} timed out",
    ),
    "missed_slots": (
        "offload_schedule_missed_slots > {threshold}",
        "the schedule {{ $labels.schedule }} missed {{ $value }} slots",
    ),
}
"""Expression and summary of each measure that Prometheus can take. The others need single jobs, or a forecast."""

MORE = (
    (
        "OffloadSlowWait",
        'histogram_quantile(0.95, sum by (queue, le) (rate(offload_job_wait_seconds_bucket{kind="job"}[15m]))) > 600',
        "15m",
        "warning",
        "one job in twenty of {{ $labels.queue }} waits over {{ $value | humanizeDuration }}",
    ),
    (
        "OffloadAlertsUnsent",
        "offload_outbox_messages > 0",
        "15m",
        "warning",
        "{{ $value }} alerts wait for {{ $labels.receiver }}",
    ),
)
"""Name, expression, time, severity and summary of rules that only an outside system can watch, or only a histogram shows."""


def rendered() -> str:
    """The file's text."""
    return HEAD + "groups:\n  - name: offload\n    rules:\n" + "".join(_rules())


def _rules() -> Iterator[str]:
    for rule in RULES:
        if rule.measure in EXPRESSIONS:
            expression, summary = EXPRESSIONS[rule.measure]
            # A worker's silence is a time already: Prometheus sees none alive for so long.
            for_s = rule.threshold if rule.measure == "worker_silent_s" else rule.for_s
            written = expression.format(threshold=f"{rule.threshold:g}", window=_span(rule.window_s), of=rule.of)
            yield _rule(_name(rule), written, _span(for_s) if for_s else "", str(rule.severity), summary)
    for more in MORE:
        yield _rule(*more)


def _name(rule: Rule) -> str:
    return "Offload" + "".join(word.capitalize() for word in rule.name.split("-"))


def _span(seconds: float) -> str:
    """A duration as Prometheus writes it, such as 1h or 10m."""
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _rule(name: str, expression: str, span: str, severity: str, summary: str) -> str:
    held = f"        for: {span}\n" if span else ""
    return (
        f"      - alert: {name}\n        expr: |\n          {expression}\n{held}"
        f'        labels: {{severity: {severity}}}\n        annotations:\n          summary: "{summary}"\n'
    )


if __name__ == "__main__":
    print(rendered(), end="")
