"""Text that may stand in a file which a spreadsheet opens."""

import re

FORMULA_STARTS = frozenset("=+-@＝＋－＠")  # noqa: RUF001  # the full-width forms are what spreadsheets also take
"""Characters that make a spreadsheet read a CSV cell as a formula (OWASP, "CSV Injection"), also in East Asian width."""

BREAKS = frozenset("\t\r\n")
"""Characters that some spreadsheets drop at the start of a cell before they look at it."""

SUSPECT = FORMULA_STARTS | BREAKS | {" "}
"""First characters that need a closer look."""

PLAIN = re.compile(
    # -5.00, +5, -1,234.5, -1.5e3
    r"[+-](?:\d+|\d{1,3}(?:,\d{3})+)(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?"
    # +49 421 1234567, +1 (555) 123-4567: 7 to 15 digits (E.164) in groups
    r"|\+(?=(?:\D*\d){7,15}\D*$)\d+(?:[ .\u00a0\u202f/-]?(?:\d+|\(\d+\)))*",
    re.ASCII,
)
"""Numbers and telephone numbers: their sign begins no formula that could do anything."""

UNSEEN = (
    " \t\r\n\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Blanks and marks without a width, behind which a formula could hide."""

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""Control characters, which RFC 4180 knows as no text, and what XML 1.0 cannot hold at all."""

REPLACEMENT = "\ufffd"
"""Unicode's sign for a character that cannot be shown."""

CELL_MAX = 32_767
"""UTF-16 units of text that an XLSX cell holds (Microsoft, "Excel specifications and limits")."""

SURELY_FITS = CELL_MAX // 2
"""Characters that fit whatever they are: none takes more than two units."""


def for_csv(text: str) -> str:
    """The text with control characters replaced, and with ' before what a spreadsheet would run as a formula.

    A plain number or telephone number stays as it is: other programs read these files too.
    """
    text = FORBIDDEN.sub(REPLACEMENT, text)
    if PLAIN.fullmatch(text):
        return text
    start = text.lstrip(UNSEEN)[:1]
    return "'" + text if start in FORMULA_STARTS or text[:1] in BREAKS else text


def for_xlsx(text: str) -> str:
    """The text with control characters replaced, line ends as Excel writes them, cut to what a cell holds."""
    text = FORBIDDEN.sub(REPLACEMENT, text).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) <= SURELY_FITS:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * CELL_MAX:
        return text
    # "ignore" drops the half of a pair that the cut may leave.
    return units[: 2 * (CELL_MAX - 1)].decode("utf-16-le", "ignore") + "…"
