"""Messages as Slack's incoming webhooks take them (https://docs.slack.dev/reference/block-kit/blocks)."""

from typing import Any

from service.lib.sentences.recogniser import shown
from settings.alert_rules import Severity

ICONS = {Severity.CRITICAL: ":rotating_light:", Severity.ERROR: ":red_circle:", Severity.WARNING: ":warning:"}

HEADER_MAX = 150
TEXT_MAX = 3_000
"""Characters that Slack takes in a header and in a section."""


def header(text: str) -> dict[str, Any]:
    """A headline."""
    return {"type": "header", "text": {"type": "plain_text", "text": text[:HEADER_MAX], "emoji": True}}


def fitting(text: str) -> str:
    """Text for a section: within Slack's bound."""
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"


def escaped(text: str) -> str:
    """Text that is only text: Slack gives a meaning to these three characters alone."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link_line(url: str, words: str) -> dict[str, Any]:
    """A line with a link."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": f"<{url}|{escaped(words)}>"}]}


def alert_blocks(
    title: str, text: str, severity: Severity, url: str, *, resolved: bool, runbook: str | None = None
) -> dict[str, Any]:
    """An alert, or its recovery. `text` is what notifications show, `url` and `runbook` are pages that it links to."""
    icon = ":white_check_mark:" if resolved else ICONS[severity]
    word = shown("resolved" if resolved else str(severity))
    blocks = [
        header(f"{icon} {title}: {word}"),
        {"type": "section", "text": {"type": "mrkdwn", "text": fitting(escaped(text))}},
        link_line(url, shown("Open the page")),
    ]
    if runbook:
        blocks.append(link_line(runbook, "Runbook"))
    return {"text": f"{word}: {text}", "blocks": blocks}
