"""Messages of an alert in each receiver's form."""

from types import SimpleNamespace
from typing import Any, get_args

import pytest

from service.lib.languages import LANGUAGES, in_language
from service.monitoring.alerts import messages
from service.monitoring.alerts.records import AlertStatus
from settings.alert_rules import RULES
from settings.receivers import Receivers

RULE = next(rule for rule in RULES if rule.name == "queue-backlog")


def settings(language: str) -> Any:
    return SimpleNamespace(alert_language=language, links_url="http://offload")


@pytest.mark.parametrize(
    ("language", "text", "word"),
    [("en", "1,200 jobs wait in thumbnails", "resolved"), ("de", "1.200 Jobs warten in thumbnails", "behoben")],
)
def test_an_alert_is_sent_in_the_operators_language(language: str, text: str, word: str) -> None:
    status = AlertStatus(rule=RULE.name, subject="thumbnails", value=1200)
    sentence = messages.sentence(RULE, RULE.summary, status)
    # Also out of a request in the other language, as a test message is.
    with in_language("en" if language == "de" else "de"):
        fired = messages.fired(settings(language), RULE, status, sentence)
        over = messages.resolved(settings(language), RULE, status, sentence)
    assert fired["pager"]["payload"]["summary"] == text and text in fired["other"]["body"]
    assert over["slack"]["text"] == f"{word}: {text}"


def test_the_setting_takes_every_language() -> None:
    assert set(get_args(Receivers.model_fields["alert_language"].annotation)) == set(LANGUAGES)
