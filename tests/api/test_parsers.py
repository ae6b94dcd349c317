"""Each parser of what strangers send: whatever comes, it returns or raises the error that it names, and nothing else.

Texts are made of pieces of the parser's own language too, for random letters rarely get past its first look.
"""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.datastructures.headers import Headers

from dashboard.authentication import credentials_of
from dashboard.capsule.span import read_span as read_capsule_span
from dashboard.fairness.trial import read_weights
from dashboard.jobs import filters
from dashboard.past.moment import read_past
from dashboard.previews import view_query
from service.access import pending_sign_in
from service.access.proxy_headers import BadHeaders, person_of
from service.api import downloads
from service.api.errors import BadRequest
from service.api.strict_json import decode_body, decode_json
from service.api.upload_form import BadForm, open_upload_form
from service.api.upload_headers import metadata, number
from service.database.cursors import cursor_after, position_of
from service.documents.checksums import BadChecksum, Checksum
from service.engine.job_query import job_filter, parse
from service.engine.store.listing import read_cursor
from service.lib.languages import LANGUAGES, language_of
from service.lib.tickets import BadTicket, Tickets
from service.mail.unsubscribe import BadLink, Links
from service.monitoring.fairness.span import read_span
from service.webhooks.addresses import RefusedUrl, parse_url
from settings.proxy_auth import Headers as ProxyHeaders
from settings.schedules import Schedule
from tasks.exports.filters import FilterError, moment
from tasks.mail.addresses import BadAddress, deliverable, masked
from tasks.sdk.errors import Refused

NOW_MS = 1_800_000_000_000
TICKETS, LINKS = Tickets(b"secret"), Links("https://offload.example", b"secret")
PROXY = ProxyHeaders("x-user", "x-email", "x-groups")


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """A body with a field of each kind that is converted."""

    name: str
    at: datetime | None = None
    numbers: list[int] = []
    share: float = 0.0


@dataclass(frozen=True)
class Parser:
    """A parser, the error that it may raise, and pieces of its language. What it returns is `fit` for its next reader."""

    read: Callable[[str], Any]
    raises: tuple[type[Exception], ...]
    pieces: tuple[str, ...]
    fit: Callable[[Any], bool] = lambda _: True


def query(text: str) -> None:
    parsed = parse(text)
    if not parsed.problems:
        job_filter(parsed.terms, NOW_MS)


def schedule(text: str) -> object:
    cron, _, zone = text.partition("|")
    made = Schedule(name="nightly", job="csv-export", cron=cron, zone=zone or "UTC")
    if made.problem:
        return made.problem
    return made.words, made.next_slots(datetime(2026, 3, 29, tzinfo=UTC), 3)


def attachment(name: str) -> bytes:
    header = downloads.attachment(name).encode("latin-1")
    assert not re.search(rb"[\r\n\0]", header)
    return header


def weights(text: str) -> object:
    name, _, given_weight = text.partition("=")
    return read_weights({name: given_weight})


def proxy_headers(text: str) -> object:
    lines = [line.partition(":") for line in text.split("\n")]
    return person_of([(name.encode(), value.encode("utf-8")) for name, _, value in lines], PROXY)


def of_two(read: Callable[..., Any], *more: Any) -> Callable[[str], Any]:
    """A parser of two fields, with a bar between them."""
    return lambda text: read(*[(text + "|").split("|")[place] for place in (0, 1)], *more)


def fits_64_bits(number_read: Any) -> bool:
    return number_read is None or 0 <= number_read < 1 << 63


DATES = (
    "2026-11-29",
    "T08:00",
    "Z",
    "+14:00",
    "-14:00",
    "0001-01-01",
    "9999-12-31",
    "T23:59:59",
    "30m",
    "7d",
    "999999d",
    "|",
    "7",
)
PARSERS = {
    "filter language": Parser(
        query,
        (),
        ("state:", "failed", "-", '"', "created:", ">", "2h", "..", ",", "took:", "1e9", "error:", " ", "owner:", "\\"),
    ),
    "filter of a page": Parser(
        lambda text: filters.from_address(dict(one.partition("=")[::2] for one in text.split("&"))).terms(),
        (),
        ("status=", "failed", "&", "where=", "took:>", "2h", "fingerprint=", "file="),
    ),
    "audit cursor": Parser(
        lambda text: position_of(base64.urlsafe_b64encode(text.encode()).decode()),
        (ValueError,),
        (
            *DATES,
            " ",
            "event-1",
            "2026-01-01 event-1\0",
            "0001-01-01T00:00+14:00 event-1",
            "9999-12-31T23:59-14:00 event-1",
        ),
        lambda position: "\0" not in position[1],
    ),
    "any audit cursor": Parser(
        position_of, (ValueError,), (cursor_after((datetime(2026, 1, 1, tzinfo=UTC), "e")), "=", "-")
    ),
    "list cursor": Parser(read_cursor, (ValueError,), ("f" * 15, "0", "-", "_", "0x", "+"), fits_64_bits),
    "range": Parser(
        lambda text: downloads.byte_range(text, 1000),
        (downloads.Unsatisfiable,),
        ("bytes=", "-", "0", "999", "1000", ",", "9" * 19),
    ),
    "if-none-match": Parser(lambda text: downloads.matches(text, "tag"), (), ('"tag"', "W/", ",", "*")),
    "file name of a download": Parser(attachment, (), ('"', "\\", "%", "\r\n", "é", "\u202e", "/")),
    "upload metadata": Parser(metadata, (Refused,), ("filename ", "YQ==", ",", "AA==", "=")),
    "upload length": Parser(
        lambda text: number(text, "Upload-Length"), (Refused,), ("0", "9" * 18, "-", "٣"), fits_64_bits
    ),
    "upload checksum": Parser(Checksum, (BadChecksum,), ("sha1 ", "sha256 ", "md5 ", "YQ==", "=" * 3)),
    "ticket": Parser(TICKETS.read, (BadTicket,), ("ticket_", "~", "pdf-ocr-1", "1", TICKETS.issue("pdf-ocr-1", 1)[7:])),
    "unsubscribe link": Parser(LINKS.user_id, (BadLink,), ("1", ".", LINKS.token(2)[2:])),
    "cookie of a sign-in": Parser(
        lambda text: pending_sign_in.opened(text, b"secret"),
        (),
        (".", pending_sign_in.sealed(pending_sign_in.Pending("/admin"), b"x")),
    ),
    "basic credentials": Parser(credentials_of, (), ("Basic ", "YWRtaW46eA==", "=", "\xe9", ":")),
    "accept-language": Parser(
        language_of, (), ("de", "en", "-AT", ";q=", "0.5", "1e999", "nan", ",", "*", " "), LANGUAGES.__contains__
    ),
    "webhook": Parser(
        parse_url,
        (RefusedUrl,),
        ("http://", "https:", "//", "a@b", ":99999", "[::1]", "[", "%00", "\\", "#", "?", "xn--", ".."),
    ),
    "schedule": Parser(
        schedule,
        (),
        ("*", "/", "0", "59", "L", "#5", "-", ",", " ", "0 3 * * *", "|", "Europe/Berlin", "../", "UTC", "\0", "MON"),
    ),
    "proxy headers": Parser(
        proxy_headers, (BadHeaders,), ("x-user:", "x-email:", "x-groups:", "ann", ",", "\n", "\x7f")
    ),
    "fairness span": Parser(of_two(read_span, NOW_MS), (Refused,), DATES),
    "past": Parser(of_two(read_past, NOW_MS), (Refused,), (*DATES, "hour", "9" * 15)),
    "capsule": Parser(of_two(read_capsule_span, NOW_MS), (Refused,), DATES),
    "weights": Parser(weights, (Refused,), ("weight:", "acme", "=", "1e400", "nan", "-1", "0.5")),
    "view": Parser(
        lambda text: view_query.from_address(dict(one.partition("=")[::2] for one in text.split("&"))),
        (),
        ("page=", "&", "9" * 30, "²"),
    ),
    "export's moment": Parser(moment, (FilterError,), DATES),
    "address": Parser(
        deliverable, (BadAddress,), ("ann", "@", "example.org", '"', ".", " ", "\r\n", "[127.0.0.1]", "ü", "<", ">")
    ),
    "mask": Parser(masked, (), ("ann@example.org", "@", "<", ".")),
    "JSON": Parser(
        lambda text: decode_json(text.encode()),
        (BadRequest,),
        ('{"a":', "[", "]", "}", "1e400", "\\ud800", '"', "\\u0000", "9" * 400),
    ),
    "body": Parser(
        lambda text: decode_body(text.encode(), Body),
        (BadRequest,),
        (
            '{"name":"a"',
            ',"at":"2026-01-01T00:00:00Z"',
            ',"numbers":[',
            "1e400",
            "]",
            "}",
            '"',
            ",",
            "9" * 400,
            '"\\ud800"',
        ),
    ),
}


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_comes_it_returns_or_says_what_is_wrong(name: str) -> None:
    parser = PARSERS[name]
    pieces = st.one_of(st.sampled_from(parser.pieces), st.text(max_size=4))

    @settings(max_examples=100)
    @given(st.one_of(st.text(max_size=60), st.lists(pieces, max_size=12).map("".join)))
    def attempt(text: str) -> None:
        try:
            found = parser.read(text)
        except parser.raises as error:
            # A library's error that happens to be of the kind is not a sentence.
            assert isinstance(error, downloads.Unsatisfiable) or " " in str(error)
            assert type(error) in (*parser.raises, *(kind for one in parser.raises for kind in one.__subclasses__()))
        else:
            assert parser.fit(found)

    attempt()


FORM = {"content-type": "multipart/form-data; boundary=x"}
FORM_PIECES = (
    b"--x", b"--x--", b"\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="file"; filename="a.pdf"', b"; name=", b'"',
    b":", b"Content-Disposition: form-data", b"\0", b"Content-Type: text/plain; charset=utf-16", b"Content-Length: -1", b"a" * 9000,
)  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(FORM_PIECES), st.binary(max_size=6)), max_size=12), st.integers(1, 40))
def test_a_form_of_any_bytes_in_any_pieces_is_read_or_named(pieces: list[bytes], size: int) -> None:
    data = b"--x\r\n" + b"".join(pieces)

    async def body() -> AsyncIterator[bytes]:
        for at in range(0, min(len(data), 4000), size):
            yield data[at : at + size]
        yield data[4000:]

    async def read() -> None:
        form = await open_upload_form(Headers(FORM), body())
        async for _ in form.chunks():
            pass

    try:
        asyncio.run(read())
    except BadForm as error:
        assert str(error).endswith((".", '"'))


@given(
    st.one_of(
        st.text(max_size=80),
        st.lists(st.sampled_from(["multipart/form-data", ";", "boundary=", '"', "x" * 300, "é"])).map("".join),
    )
)
def test_any_content_type_is_a_form_or_named(content_type: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"--x\r\n"

    async def read() -> None:
        await open_upload_form(Headers({"content-type": content_type}), body())

    with pytest.raises(BadForm):
        asyncio.run(read())
