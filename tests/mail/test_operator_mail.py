"""Mail to operators: one message, one identity for each reference, one login for each wait."""

from email.utils import parseaddr

import pytest

from service.engine.rate_limiter import RateLimiter
from service.engine.redis.client import connect
from service.mail.operator_mail import OperatorMail
from service.mail.server_status import ServerStatus
from settings import Settings, load_settings
from tasks.ports.mail import MailServerAway


def operators(
    settings: Settings, status: ServerStatus | None = None, limiter: RateLimiter | None = None
) -> OperatorMail:
    return OperatorMail(settings, limiter, status)  # type: ignore[arg-type]  # what a test does not reach is left out


@pytest.fixture
def settings(settings_env: dict[str, str]) -> Settings:
    return load_settings()


def test_reports_go_to_those_of_the_setting_or_to_the_sender(settings: Settings) -> None:
    named = settings.model_copy(update={"reports_to": ("ops@example.com",)})
    assert operators(named).addresses == ("ops@example.com",)
    unnamed = settings.model_copy(update={"reports_to": (), "mail_from": "Offload <offload@example.com>"})
    assert operators(unnamed).addresses == ("offload@example.com",)


def test_the_same_reference_is_the_same_message(settings: Settings) -> None:
    mail = operators(settings)
    first, again, other = (mail._message("ops@example.com", "Week 18", "text", ref) for ref in ("a", "a", "b"))
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["Message-ID"].endswith(f"@{parseaddr(settings.mail_from)[1].rpartition('@')[2]}>")
    assert first["Auto-Submitted"] == "auto-generated"


def test_a_subject_of_several_lines_adds_no_header(settings: Settings) -> None:
    message = operators(settings)._message("ops@example.com", "Week 18\nBcc: eve@example.com", "text", "a")
    assert message["Bcc"] is None and "\n" not in message["Subject"]


async def test_without_a_server_the_setting_is_named(settings: Settings) -> None:
    with pytest.raises(MailServerAway, match="set OFFLOAD_SMTP_URL"):
        await operators(settings.model_copy(update={"smtp_url": None})).write("ops@example.com", "s", "t", "r")


async def test_no_login_is_tried_before_the_next_try_is_due(settings: Settings) -> None:
    redis = connect(settings.queue_server_url())
    status = ServerStatus(redis)
    await status.refused("535 wrong password", probe=False)
    mail = operators(settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"}), status)
    with pytest.raises(MailServerAway, match="535 wrong password"):
        # No limiter and nothing that listens: anything but the refusal on record would be another error.
        await mail.write("ops@example.com", "subject", "text", "a")
    await redis.aclose(close_connection_pool=True)
