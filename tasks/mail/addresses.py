"""E-mail addresses: which are deliverable, and in which form they are compared."""

from email_validator import EmailNotValidError, validate_email


class BadAddress(ValueError):
    """Not an address that a server should be asked about. The message is a sentence without its full stop."""


def deliverable(given: str) -> str:
    """The address as it goes into RCPT TO: ASCII, the domain in lower case and its non-ASCII labels as punycode.

    Raises BadAddress for what no server can take: a syntax error, a quoted local part, or letters outside ASCII before
    the @, which only few servers accept (SMTPUTF8). `.test` domains pass.
    """
    try:
        found = validate_email(given, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise BadAddress(f"not a valid address: {str(error).rstrip('.')}") from None
    if found.ascii_email is None:
        raise BadAddress("not a valid address: letters outside ASCII before the @-sign")
    return found.ascii_email


def compared(address: str) -> str:
    """The form in which two addresses are the same mailbox. RFC 5321 lets local parts differ by case; nobody does."""
    return address.lower()
