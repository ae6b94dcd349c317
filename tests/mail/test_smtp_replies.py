"""Meaning of replies for the delivery, for the address and for the sender."""

from datetime import timedelta

import pytest

from service.database.column_types import utc_now
from service.mail.smtp_replies import LONGEST_WAIT_S, TRIES_MAX, later, refuses_address, refuses_sender, result_of
from service.mail.smtp_transaction import Reply, Step


@pytest.mark.parametrize(
    ("code", "text", "step"),
    [
        (530, "5.7.0 Authentication required", "sender"),
        (530, "5.7.0 Must issue a STARTTLS command first", "sender"),
        (535, "5.7.8 credentials invalid", "sender"),
        (550, "5.4.6 daily limit reached", "sender"),
        (550, "5.7.1 sender rejected", "sender"),
        (550, "no", "sender"),
        (553, "5.1.8 sender domain not found", "sender"),
        (452, "4.3.1 out of storage", "sender"),
        (451, "4.7.0 slow down", "sender"),
        (421, "4.7.0 go away", "sender"),
        (552, "5.2.2 your account is over its quota", "sender"),
        (530, "5.7.0 Authentication required", "recipient"),
        (535, "login expired", "recipient"),
        (454, "Throttling failure: Daily message quota exceeded", "content"),
        (550, "5.4.5 Daily user sending limit exceeded", "content"),
        (554, "5.7.1 Relay access denied", "recipient"),
        (550, "relay not permitted", "recipient"),
        (553, "sorry, that domain isn't in my list (#5.7.8)", "recipient"),
        (550, "5.7.60 client does not have permissions to send as this sender", "content"),
        (550, "5.7.705 Access denied, tenant has exceeded threshold", "content"),
        (554, "Message rejected: Sending paused for this account", "content"),
        (550, "5.1.8 Access denied, bad outbound sender", "content"),
    ],
)
def test_a_refusal_of_the_sender_leaves_the_delivery_as_it_was(code: int, text: str, step: Step) -> None:
    reply = Reply(code, text, step)
    assert refuses_sender(reply) and not refuses_address(reply)
    result = result_of(reply, 3)
    assert (result.status, result.tries, result.due_at, result.about_address) == ("pending", 3, None, False)


@pytest.mark.parametrize(
    ("code", "text", "step", "about_address"),
    [
        (550, "5.1.1 no such user", "recipient", True),
        (550, "5.1.1 no such user", "content", True),
        (550, "5.1.10 null MX", "recipient", True),
        (550, "5.2.1 mailbox disabled", "recipient", True),
        (550, "no such user", "recipient", True),
        (550, "no such user", "content", False),
        (551, "user not local", "recipient", False),
        (554, "rejected", "recipient", False),
        (550, "5.7.1 policy", "content", False),
        (550, "5.7.1 policy", "recipient", False),
        (552, "5.3.4 too big", "content", False),
        (552, "5.2.2 mailbox full", "recipient", False),
        (552, "5.2.2 mailbox full: message quota exceeded", "content", False),
        (550, "sorry, no mailbox here by that name (#5.1.1)", "recipient", True),
        (550, "message refused (#5.7.1)", "recipient", False),
    ],
)
def test_a_bounce_speaks_of_the_address_only_where_it_says_so(
    code: int, text: str, step: Step, about_address: bool
) -> None:
    result = result_of(Reply(code, text, step), 0)
    assert (result.status, result.about_address) == ("bounced", about_address)


def test_a_message_that_is_too_large_has_failed_and_is_not_the_senders_fault() -> None:
    for text in ("5.3.4 too large", "message exceeds fixed maximum size"):
        assert result_of(Reply(552, text, "sender"), 0).status == "failed"


def test_temporary_refusals_are_tried_for_days_with_growing_pauses() -> None:
    waited, last = timedelta(), timedelta()
    for tries in range(TRIES_MAX - 1):
        result = later(452, "4.2.2 mailbox full", tries)
        assert result.status == "pending" and result.due_at is not None
        pause = result.due_at - utc_now()
        assert pause > last or pause.total_seconds() > LONGEST_WAIT_S * 0.75
        waited, last = waited + pause, pause
    assert timedelta(days=4) < waited < timedelta(days=6)
    assert later(452, "4.2.2 mailbox full", TRIES_MAX - 1).status == "failed"
