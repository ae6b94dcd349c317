"""Reading a multipart/form-data body as it arrives, so that an upload is never whole in memory (RFC 7578)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from litestar.datastructures.headers import Headers
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from service.lib.text import NUL

FIELD_MAX_BYTES = 16_384
"""A form field other than the file is a token or an option, never a document."""

PARTS_MAX = 20

_NOT_A_FORM = 'Send the file as multipart/form-data, in a field named "file".'


class BadForm(Exception):
    """A body that is not the form asked for: one sentence for the sender, and the offending field."""

    def __init__(self, message: str, *, field: str = "file") -> None:
        super().__init__(message)
        self.field = field


@dataclass
class UploadForm:
    """The file part of a form, and the fields that came before it. Later fields are read past."""

    name: str
    fields: dict[str, str]
    _events: AsyncIterator[MultipartSegment | bytes | None] = field(repr=False)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file's bytes as they arrive. Raises BadForm where the body breaks off or another file follows."""
        in_file = True
        async for event in self._events:
            if isinstance(event, MultipartSegment) and event.filename is not None:
                raise BadForm("Send one file at a time: the form holds more than one.")
            if event is None:
                in_file = False
            elif in_file and not isinstance(event, MultipartSegment):
                yield bytes(event)


async def open_upload_form(headers: Headers, body: AsyncIterator[bytes]) -> UploadForm:
    """Read up to the first byte of the part named `file`. Raises BadForm where the body has no such part."""
    kind, options = parse_options_header(headers.get("content-type", ""))
    boundary = options.get("boundary", "")
    if kind.lower() != "multipart/form-data" or not boundary:
        raise BadForm(_NOT_A_FORM)
    events = _events(boundary, body)
    fields: dict[str, str] = {}
    name, value = "", b""
    async for event in events:
        if isinstance(event, MultipartSegment):
            name, value = event.name, b""
            for text, field_name in ((event.name, "a field's name"), (event.filename, "file")):
                _refuse_nul(text or "", field_name)
            if event.name == "file":
                if event.filename is None:
                    raise BadForm('The field "file" holds text and not a file: send it with a file name.')
                return UploadForm(event.filename, fields, events)
            if event.filename is not None:
                raise BadForm(f'Send the file in a field named "file", not "{event.name[:50]}".', field=event.name[:50])
        elif event is not None:
            value += event
            if len(value) > FIELD_MAX_BYTES:
                raise BadForm(f"A form field is longer than {FIELD_MAX_BYTES} bytes.", field=name[:50])
        else:
            fields[name] = value.decode("utf-8", "replace")
            _refuse_nul(fields[name], name[:50])
    raise BadForm(_NOT_A_FORM)


def _refuse_nul(text: str, field: str) -> None:
    if NUL in text:
        what = "The file's name" if field == "file" else field
        raise BadForm(f"{what} holds a NUL character, which no stored text can.", field=field)


async def _events(boundary: str, body: AsyncIterator[bytes]) -> AsyncIterator[MultipartSegment | bytes | None]:
    """The parser's events: a segment's head, its bytes, and None at its end. Raises BadForm for a malformed body."""
    try:
        with PushMultipartParser(boundary, max_segment_count=PARTS_MAX) as parser:
            async for chunk in body:
                for event in parser.parse(chunk) if chunk else ():
                    yield event
    except ParserLimitReached:
        raise BadForm(f"The form has more than {PARTS_MAX} parts or a header that is too long.") from None
    except MultipartError as error:
        raise BadForm(f"The multipart body is malformed or cut short: {error}.") from None
