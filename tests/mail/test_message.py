"""The bytes of a message: nothing can be injected, and every server can carry it."""

import email
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.mail.addresses import BadAddress, deliverable
from tasks.mail.message import for_data, message, message_id

LINK = "https://example.com/unsubscribe/1." + "x" * 200


def made(**changes: Any) -> bytes:
    values = {
        "sender": "Offload <news@example.org>", "to_name": "Ada", "to_address": "ada@example.com", "subject": "Hello",
        "html": "<p>h</p>", "text": "t", "message_id": message_id("c", 1, "news@example.org"), "unsubscribe_url": LINK,
    }  # fmt: skip
    return message(**(values | changes))


def parsed(content: bytes) -> EmailMessage:
    return cast(EmailMessage, email.message_from_bytes(content, policy=default))


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(name=text, subject=text)
def test_no_name_and_no_subject_begins_a_header_of_its_own(name: str, subject: str) -> None:
    attack = "\r\nBcc: victim@example.com\r\n\r\nbody"
    mail = parsed(made(to_name=name + attack, subject=subject + attack))
    assert mail["Bcc"] is None
    assert sorted(key.lower() for key in mail) == sorted(
        [
            "message-id", "list-unsubscribe", "from", "to", "subject", "date", "list-unsubscribe-post", "precedence",
            "auto-submitted", "mime-version", "content-type",
        ]
    )  # fmt: skip
    assert mail["To"].addresses[0].addr_spec == "ada@example.com"


@given(html=text, plain=text)
def test_every_line_is_short_and_of_seven_bits(html: str, plain: str) -> None:
    content = made(html="<p>" + html + "x" * 2000, text=plain + "y" * 2000)
    assert content.isascii() and max(map(len, content.split(b"\r\n"))) <= 998


@given(body=st.one_of(text, st.text("a =.\t\r\n\f\x85é", max_size=300)))
@example("x" * 79)
@example("a \nb\t\n.\n=C3")
@example("日本語" * 50)
def test_both_bodies_come_through_as_they_are(body: str) -> None:
    mail = parsed(made(html=body, text=body))
    for kind in ("html", "plain"):
        part = mail.get_body((kind,))
        assert part is not None
        lines = body.replace("\r\n", "\n").replace("\r", "\n")
        received = bytes(part.get_payload(decode=True)).decode().replace("\r\n", "\n")
        assert received.removesuffix("\n") == lines.removesuffix("\n")


def test_a_long_link_stays_one_word() -> None:
    mail = parsed(made())
    assert mail["List-Unsubscribe"] == f"<{LINK}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with pytest.raises(ValueError, match="single word"):
        made(unsubscribe_url="https://example.com/\r\nBcc: x@y.z")


def test_the_id_is_the_same_for_every_try_and_another_for_everybody_else() -> None:
    ids = [message_id(campaign, user, "n <a@example.org>") for campaign in ("a", "b") for user in (1, 2, 1)]
    assert len(set(ids)) == 4
    assert all(one.endswith("@example.org>") for one in ids)


@given(st.binary(max_size=300))
def test_data_comes_through_dots_and_line_ends(content: bytes) -> None:
    sent = for_data(content)
    assert sent.endswith(b"\r\n") and b"\r\n.\r\n" not in b"\r\n" + sent
    received = b"".join(line[1:] if line.startswith(b".") else line for line in sent.splitlines(keepends=True))
    expected = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert received.removesuffix(b"\r\n") == expected.removesuffix(b"\r\n")


@pytest.mark.parametrize("address", ["ada@example.com", "o'brien+tag@Example.COM", "user@exämple.de", "a@b.test"])
def test_addresses_a_server_can_take(address: str) -> None:
    assert deliverable(address).isascii()


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "a b@example.com", "ada@example", "ä@example.com", "a@b.de\r\nRCPT TO:<x@y.de>", '"q q"@x.de'],
)
def test_addresses_no_server_is_asked_about(address: str) -> None:
    with pytest.raises(BadAddress, match="not a valid address"):
        deliverable(address)
