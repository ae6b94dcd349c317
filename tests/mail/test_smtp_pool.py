"""A mail server's URL, and what may be sent over its connections."""

import pytest

from service.mail.smtp_pool import MailServer, mail_server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mx.example.com", MailServer("mx.example.com", 25, False)),
        ("smtp://ada:s%3Acret%40x@mx.example.com", MailServer("mx.example.com", 587, False, "ada", "s:cret@x")),
        ("smtps://ada@mx.example.com", MailServer("mx.example.com", 465, True, "ada", "")),
        (
            "smtp://ada%40example.com:p@mx.example.com:2525",
            MailServer("mx.example.com", 2525, False, "ada@example.com", "p"),
        ),
    ],
)
def test_a_url_names_port_transport_and_login(url: str, server: MailServer) -> None:
    assert mail_server(url) == server


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("mx.example.com", False), ("10.0.0.1", False)],
)
def test_a_password_may_travel_in_the_clear_only_within_this_machine(host: str, loopback: bool) -> None:
    assert MailServer(host, 25, False).loopback is loopback


def test_a_password_is_in_no_representation() -> None:
    assert "secret" not in repr(mail_server("smtp://ada:secret@mx.example.com"))
