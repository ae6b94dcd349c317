"""Messages over real connections, to receivers that misbehave."""

import pytest

from service.webhooks import sender
from service.webhooks.addresses import Addresses
from service.webhooks.events import new_secret
from service.webhooks.sender import Answer, Sender
from tests.ports import free_port
from tests.webhooks.receiver import Receiver, answering
from tests.webhooks.test_addresses import answers

SECRET = new_secret()


async def post(url: str, *, allow_private: bool = True) -> Answer:
    return await Sender(Addresses(allow_private=allow_private)).post(url, SECRET, "msg_1", '{"type":"webhook.test"}')


async def test_a_message_is_signed(receiver: Receiver) -> None:
    assert await post(receiver.url + "?a=b") == Answer(204, None)
    (one,) = receiver.received
    assert one.path == "/hook?a=b" and one.headers["webhook-id"] == "msg_1"
    assert one.headers["content-type"] == "application/json" and one.headers["user-agent"].startswith("Offload/")
    assert one.verified(SECRET) == {"type": "webhook.test"}


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = answering("302 Found", "", f"location: {receiver.url}/elsewhere")
    assert await post(receiver.url) == Answer(302, "It answered 302, and redirects are not followed.")
    assert receiver.connections == 1


async def test_an_error_is_told_with_the_beginning_of_its_text(receiver: Receiver) -> None:
    receiver.answer = answering("500 Internal Server Error", "no disk\n  left " + "x" * 9_000)
    answer = await post(receiver.url)
    assert answer.status_code == 500 and (answer.error or "").startswith("It answered 500: no disk left xxx")
    assert len(answer.error or "") < 400


async def test_a_receiver_that_hangs_is_left(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "TOTAL_S", 0.2)
    receiver.answer = None
    assert await post(receiver.url) == Answer(None, "It did not answer within 0.2 seconds.")


async def test_an_answer_without_end_is_read_to_its_bound(receiver: Receiver) -> None:
    """A receiver that says it sends gigabytes is answered for as soon as enough of it has come."""
    receiver.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 9000000000\r\n\r\n" + b"x" * 100_000
    assert await post(receiver.url) == Answer(200, None)


@pytest.mark.parametrize("given", [b"", b"HTTP/1.1 2", b"hello\r\n\r\n"])
async def test_what_is_no_answer(receiver: Receiver, given: bytes) -> None:
    receiver.answer = given
    answer = await post(receiver.url)
    assert answer.status_code is None and (answer.error or "").startswith("The connection broke off")


async def test_nobody_there() -> None:
    answer = await post(f"http://127.0.0.1:{free_port()}/")
    assert answer.status_code is None and (answer.error or "").startswith("No connection")


async def test_a_name_that_leads_to_loopback_the_second_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the check of the registration saw a public address."""
    url = receiver.url.replace("127.0.0.1", "rebinding.example")
    answers(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    await Addresses().check(url)
    answer = await post(url, allow_private=False)
    assert answer == Answer(
        None, "rebinding.example leads to 127.0.0.1, which is a loopback address: webhooks go to public addresses only."
    )
    assert receiver.connections == 0
    assert (await post(url)).taken, "the same name, where loopback is permitted"
    assert receiver.received[0].headers["host"].startswith("rebinding.example:")
