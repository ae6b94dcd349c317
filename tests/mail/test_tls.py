"""STARTTLS, TLS from the first byte and logins, against servers with a certificate of their own."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from service.mail.smtp_pool import Connection, MailServer, mail_server
from tasks.ports.mail import MailServerAway
from tests.mail.servers import MailSink, serving
from tests.tls import certificate


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """A server's context; its certificate stands in ca.pem, which is not trusted yet."""
    files = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


@pytest.fixture
def trusted(tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The same, once this machine trusts it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return tls


def authenticator(*found: object) -> AuthResult:
    login = found[-1]
    ok = isinstance(login, LoginPassword) and (login.login, login.password) == (b"us er", b"p:w@d/")
    # Not handled: aiosmtpd itself answers 535.
    return AuthResult(success=ok, handled=False)


LOGIN = "us%20er:p%3Aw%40d%2F@"


@asynccontextmanager
async def with_login(tls: ssl.SSLContext) -> AsyncIterator[MailSink]:
    async with serving(tls=tls, authenticator=authenticator, auth_required=True, require_starttls=True) as sink:
        yield sink


async def test_starttls_comes_before_the_login(trusted: ssl.SSLContext) -> None:
    async with with_login(trusted) as sink:
        connection = Connection(mail_server(f"smtp://{LOGIN}127.0.0.1:{sink.port}"))
        client = await connection.ready()
        assert client.get_transport_info("sslcontext") is not None
        answer = await client.execute_command(b"MAIL", b"FROM:<a@example.org>")
        assert answer.code == 250, "logged in"
        await connection.quit()


async def test_a_refused_login_is_said_in_a_sentence(trusted: ssl.SSLContext) -> None:
    async with with_login(trusted) as sink:
        with pytest.raises(MailServerAway, match=r"takes no messages: 535 5\.7\.8"):
            await Connection(mail_server(f"smtp://other:wrong@127.0.0.1:{sink.port}")).ready()


async def test_a_certificate_nobody_vouches_for_is_no_server_of_ours(tls: ssl.SSLContext) -> None:
    async with with_login(tls) as sink:
        with pytest.raises(MailServerAway, match="certificate verify failed"):
            await Connection(mail_server(f"smtp://{LOGIN}127.0.0.1:{sink.port}")).ready()


async def test_no_password_goes_over_the_network_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MailServer, "loopback", False)
    async with serving(authenticator=authenticator, auth_require_tls=False) as sink:
        with pytest.raises(MailServerAway, match="a password is not sent in the clear"):
            await Connection(mail_server(f"smtp://{LOGIN}127.0.0.1:{sink.port}")).ready()


def test_what_a_url_says() -> None:
    assert mail_server("smtp://mail.example.org") == MailServer("mail.example.org", 25, False)
    assert mail_server("smtp://u:p@mail.example.org").port == 587
    assert mail_server("smtps://u:p@mail.example.org") == MailServer("mail.example.org", 465, True, "u", "p")
    assert "secret" not in repr(mail_server("smtp://u:secret@mail.example.org"))
