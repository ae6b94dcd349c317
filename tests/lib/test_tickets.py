"""Signatures of tickets."""

import time

import pytest

from service.lib.tickets import BadTicket, Tickets


def test_a_ticket_is_read_by_whoever_shares_the_secret() -> None:
    later = int(time.time()) + 60
    ticket = Tickets(b"one secret").issue("pdf-ocr-0a.3", later, "a ~ report.pdf")
    read = Tickets(b"one secret").read(ticket)
    assert (read.job_id, read.expires_s, read.file) == ("pdf-ocr-0a.3", later, "a ~ report.pdf")
    with pytest.raises(BadTicket):
        Tickets(b"another secret").read(ticket)


def test_every_changed_letter_breaks_it() -> None:
    tickets = Tickets(b"one secret")
    ticket = tickets.issue("pdf-ocr-0a", int(time.time()) + 60)
    for at in range(len("ticket_"), len(ticket)):
        with pytest.raises(BadTicket):
            tickets.read(ticket[:at] + chr(ord(ticket[at]) ^ 1) + ticket[at + 1 :])
