"""E-mail addresses: deliverable ones, the form in which they are compared, and masking them in other people's texts."""

import re

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters that a copied address carries along, and that `str.strip` does not count as white space."""

MASK = "•••"

_ADDRESS = re.compile(
    r"""(?:"(?:[^"\\]|\\.)+"|[^\s<>"'(),;:@\[\]]+)(?:@|%40)(?:\[[^\]\s]*\]|[^\s<>"'(),;@\[\]]+)""", re.IGNORECASE
)
"""Everything that looks like an address. It may mask too much, and that is the right side to err on."""


class BadAddress(ValueError):
    """Not an address that a server should be asked about. The message is a sentence without its full stop."""


def trimmed(given: str) -> str:
    """The address without white space and invisible characters around it, as forms and spreadsheets leave them there."""
    return given.strip().strip(INVISIBLE).strip()


def deliverable(given: str) -> str:
    """The address as it goes into RCPT TO: trimmed, ASCII, the domain in lower case and its other labels as punycode.

    Raises BadAddress for what no server can take: a syntax error, or before the @ letters outside ASCII (SMTPUTF8) or
    characters that need quotes, which only few servers accept. Quotes that are not needed go; `.test` domains pass.
    """
    # Its tables take longer to load than many a whole module, and only senders of mail need them.
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(
            trimmed(given),
            check_deliverability=False,
            allow_smtputf8=False,
            allow_quoted_local=True,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise BadAddress(f"not a valid address: {str(error).rstrip('.')}") from None
    if found.ascii_email is None:
        raise BadAddress("not a valid address: letters outside ASCII before the @-sign")
    if found.ascii_email.startswith('"'):
        raise BadAddress("not a valid address: characters before the @-sign that only hold in quotes")
    return found.ascii_email


def compared(address: str) -> str:
    """The form in which two addresses are the same mailbox. RFC 5321 lets local parts differ by case; in practice none do."""
    return address.lower()


def masked(text: str, *known: str) -> str:
    """`text` with everything that looks like an address masked, and the local parts of the `known` ones as well.

    Servers repeat the recipient in their replies, some as `<ada@example.com>`, some as `user ada unknown`.
    """
    text = _ADDRESS.sub(MASK, text)
    for address in known:
        local_part = address.rpartition("@")[0].strip('"')
        if local_part:
            word = rf"(?<![\w+-])(?<!\w\.){re.escape(local_part)}(?![\w+-])(?!\.\w)"
            text = re.sub(word, MASK, text, flags=re.IGNORECASE)
    return text
