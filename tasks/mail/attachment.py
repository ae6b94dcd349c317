"""A message with a file, for many recipients: all but the recipient's own headers is written once."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from tasks.mail.message import SUBJECT_MAX, WIRE, address_header, one_line, token_header


@dataclass(frozen=True)
class Attachment:
    """A file as it is attached."""

    name: str
    media_type: str
    data: bytes


class FileMessage:
    """The message's common part, and the message to each recipient."""

    def __init__(self, sender: str, subject: str, text: str, attachment: Attachment | None) -> None:
        name, address = parseaddr(sender)
        common = EmailMessage(policy=WIRE)
        common["Subject"] = one_line(subject)[:SUBJECT_MAX]
        common["Date"] = formatdate()
        common["Auto-Submitted"] = "auto-generated"
        common.set_content(text)
        if attachment is not None:
            kind, _, subtype = attachment.media_type.partition(";")[0].partition("/")
            common.add_attachment(attachment.data, maintype=kind, subtype=subtype, filename=attachment.name)
        self._common = address_header("From", name, address) + common.as_bytes()

    def to(self, address: str, message_id: str) -> bytes:
        """The message to one recipient, with CRLF line ends."""
        return token_header("Message-ID", message_id) + address_header("To", "", address) + self._common
