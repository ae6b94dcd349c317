"""One message over one connection, against servers that break off at every step."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.mail import smtp_pool, smtp_transaction
from service.mail.smtp_pool import Connection, Connections, mail_server
from service.mail.smtp_transaction import InDoubt, NotSent, Reply, transmit
from tasks.mail.message import for_data
from tasks.ports.mail import MailServerAway
from tests.mail.servers import Drop, MailSink, serving

CONTENT = for_data(b"Subject: x\r\n\r\n.dot\r\n")


@asynccontextmanager
async def connected(sink: MailSink) -> AsyncIterator[Connection]:
    connection = Connection(mail_server(sink.url))
    yield connection
    await connection.quit()


async def offer(
    connection: Connection, address: str = "ada@example.com", content: bytes = CONTENT
) -> tuple[Reply | str, bool]:
    """What came of offering one message, and whether the dot was announced."""
    announced: list[bool] = []
    try:
        reply = await transmit(
            await connection.ready(), "s@example.org", address, content, lambda: announced.append(True)
        )
    except (NotSent, InDoubt) as error:
        return type(error).__name__, bool(announced)
    return reply, bool(announced)


async def test_accepted_over_one_connection_again_and_again() -> None:
    async with serving() as sink, connected(sink) as connection:
        for number in range(5):
            reply, announced = await offer(connection, f"user{number}@example.com")
            assert reply == Reply(250, "2.0.0 kept", "content") and announced
    assert sink.connections == 1 and len(sink.caught) == 5
    assert sink.caught[0].content == b"Subject: x\r\n\r\n.dot\r\n"


async def test_large_messages_come_through_whole() -> None:
    content = for_data(b"Subject: x\r\n\r\n" + b"\r\n".join(b"." + b"x" * 70 for _ in range(100_000)))
    async with serving() as sink, connected(sink) as connection:
        reply, _ = await offer(connection, content=content)
        assert isinstance(reply, Reply) and reply.code == 250
    assert len(sink.caught[0].content) == len(content) - 100_000, "each doubled dot is one dot again"


@pytest.mark.parametrize("code", [450, 451, 550, 554])
async def test_a_refused_recipient_leaves_the_connection_usable(code: int) -> None:
    sink = MailSink(at_recipient=lambda address: f"{code} no {address}" if "bad" in address else None)
    async with serving(sink), connected(sink) as connection:
        assert await offer(connection, "bad@example.com") == (Reply(code, "no •••", "recipient"), False)
        reply, _ = await offer(connection, "good@example.com")
        assert isinstance(reply, Reply) and reply.code == 250
    assert sink.connections == 1


async def test_a_refused_content_is_an_answer() -> None:
    async with serving(MailSink(at_content=lambda _: "554 5.7.1 spam")) as sink, connected(sink) as connection:
        assert await offer(connection) == (Reply(554, "5.7.1 spam", "content"), True)


async def test_421_is_an_answer_and_the_next_message_takes_a_new_connection() -> None:
    text = iter(["421 4.3.2 closing"])
    async with serving(MailSink(at_recipient=lambda _: next(text, None))) as sink, connected(sink) as connection:
        reply, announced = await offer(connection)
        assert isinstance(reply, Reply) and reply.code == 421 and not announced
        reply, _ = await offer(connection)
        assert isinstance(reply, Reply) and reply.code == 250
    assert sink.connections == 2


def dropping(_: str) -> str:
    raise Drop


async def test_a_connection_lost_before_the_dot_is_certain() -> None:
    async with serving(MailSink(at_recipient=dropping)) as sink, connected(sink) as connection:
        assert await offer(connection) == ("NotSent", False)


async def test_a_connection_lost_after_the_dot_is_doubt() -> None:
    async with serving(MailSink(at_content=dropping)) as sink, connected(sink) as connection:
        assert await offer(connection) == ("InDoubt", True)
    async with serving(MailSink(after_accepting=dropping)) as sink, connected(sink) as connection:
        assert await offer(connection) == ("InDoubt", True)
        assert len(sink.caught) == 1


async def scripted(*answers: bytes | None) -> tuple[asyncio.Server, str]:
    """A server that gives these answers, one a line it is sent, and closes the connection at None."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        for answer in answers:
            if not await reader.readline():
                break
            if answer is None:
                break
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    return server, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


OK = b"250 ok\r\n"


async def test_a_connection_closed_in_the_middle_of_the_content_is_certain() -> None:
    """The server reads one line of a content that no socket buffer holds, and hangs up."""
    server, url = await scripted(OK, OK, OK, b"354 go\r\n", None)
    content = for_data(b"x" * 70 + b"\r\n") * 1_000_000
    connection = Connection(mail_server(url))
    assert await offer(connection, content=content) == ("NotSent", False)
    server.close()


async def test_a_refusal_in_the_middle_of_the_content_is_heard_before_the_dot() -> None:
    server, url = await scripted(OK, OK, OK, b"354 go\r\n452 4.3.1 full\r\n", OK)
    connection = Connection(mail_server(url))
    reply, announced = await offer(connection, content=for_data(b"x" * 70 + b"\r\n") * 200_000)
    assert (reply, announced) in [(Reply(452, "4.3.1 full", "content"), False), ("NotSent", False)]
    server.close()


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_transaction, "COMMAND_TIMEOUT_S", 0.05)
    monkeypatch.setattr(smtp_transaction, "ANSWER_TIMEOUT_S", 0.05)
    server, url = await scripted(OK, OK, b"")
    assert await offer(Connection(mail_server(url))) == ("NotSent", False)
    server.close()
    async with serving(MailSink(delay_s=30)) as sink:
        assert await offer(Connection(mail_server(sink.url))) == ("InDoubt", True)


async def test_a_kept_connection_that_died_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_pool, "IDLE_CHECK_S", 0.0)
    async with serving() as sink, connected(sink) as connection:
        await offer(connection)
        client = connection.client
        await connection.ready()
        assert connection.client is client, "NOOP found it alive"
        assert client is not None and client.transport is not None
        client.transport.abort()
        reply, _ = await offer(connection)
        assert isinstance(reply, Reply) and reply.code == 250
    assert sink.connections == 2


async def test_nobody_there_is_said_in_a_sentence() -> None:
    async with serving() as sink:
        pass
    with pytest.raises(MailServerAway, match="the mail server takes no messages: Error connecting"):
        await Connection(mail_server(sink.url)).ready()
    async with serving(MailSink(refused_at_connect="421 4.3.2 too busy")) as sink:
        with pytest.raises(MailServerAway, match=r"421 4\.3\.2 too busy"):
            await Connection(mail_server(sink.url)).ready()


async def test_five_connections_at_most_and_no_more_than_are_needed() -> None:
    async with serving(MailSink(delay_s=0.01)) as sink:
        lending = Connections(mail_server(sink.url))

        async def one(number: int) -> None:
            connection = await lending.borrow()
            try:
                await offer(connection, f"user{number}@example.com")
            finally:
                lending.give_back(connection)

        for number in range(4):
            await one(number)
        assert sink.connections == 1
        await asyncio.gather(*(one(number) for number in range(30)))
        assert sink.widest == 5
        await lending.close()
