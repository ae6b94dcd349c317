"""Text that is hard to export: as it is stored, and what each kind of file must hold for it."""

from typing import NamedTuple


class Hard(NamedTuple):
    stored: str | None
    in_csv: str
    in_xlsx: str | None


def same(text: str) -> Hard:
    return Hard(text, text, text)


def formula(text: str) -> Hard:
    """Read as a formula from CSV, and just text in a cell that says that it is text."""
    return Hard(text, "'" + text, text)


FULL_CELL = 32_767

HARD = [
    same("plain"),
    same("0012345"),
    same("1e5"),
    same("TRUE"),
    same("2026-01-31"),
    same("a,b;c\td"),
    same('say "hello"'),
    same('"'),
    same("two\nlines"),
    same(" padded "),
    same("_x0041_"),
    same("<b>&amp;</b>"),
    same("https://example.com/?a=1&b=2"),
    same("Grüße, 東京, Ελλάδα"),
    same("שלום עולם (1)"),
    same("مرحبا بالعالم"),
    same("\u202eright to left override"),
    same("👩‍💻🏳️‍🌈 ✅"),
    same("e\u0301 is not \u00e9"),
    same("a=b"),
    same("5-3"),
    same("'=1+1"),
    formula("=1+1"),
    formula("=cmd|' /C calc'!A0"),
    formula('=HYPERLINK("http://example.com","click")'),
    same("-5.00"),
    same("+1"),
    same("-1,234,567.8"),
    same("-1.5e-7"),
    same("+49 421 1234567"),
    same("+49 (421) 123-4567"),
    same("+1-202-555-0143"),
    same("+442079460958"),
    formula("-12.5 %"),
    formula("-5+3"),
    formula("-5.00=1"),
    formula("+49 421 1234567=1+1"),
    formula("+49 421 1234567\t=1+1"),
    formula("-1\n=1+1"),
    formula("-2+3+cmd|' /C calc'!A0"),
    formula("+1-2"),
    formula("+1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6"),
    formula("-A1"),
    formula("+٤٩ ٤٢١ ١٢٣٤٥٦٧"),
    formula("--5"),
    formula("-"),
    formula("@SUM(A1)"),
    formula("\t=1+1"),
    formula("\tplain"),
    formula("\n=1+1"),
    formula(" =1+1"),
    formula("\u00a0=1+1"),
    formula("\ufeff=1+1"),
    formula("\u200b=1+1"),
    formula("＝1+1"),  # noqa: RUF001  # the full-width sign is the point
    formula("－1"),  # noqa: RUF001  # likewise
    Hard("\r=1+1", "'\r=1+1", "\n=1+1"),
    Hard("one\r\ntwo", "one\r\ntwo", "one\ntwo"),
    Hard("bell \x07 and \x1b escape", "bell \ufffd and \ufffd escape", "bell \ufffd and \ufffd escape"),
    Hard("no character \uffff", "no character \ufffd", "no character \ufffd"),
    Hard("\x01=1+1", "\ufffd=1+1", "\ufffd=1+1"),
    same("x" * FULL_CELL),
    Hard("x" * (FULL_CELL + 1), "x" * (FULL_CELL + 1), "x" * (FULL_CELL - 1) + "…"),
    same("😀" * (FULL_CELL // 2)),
    Hard("😀" * (FULL_CELL // 2 + 1), "😀" * (FULL_CELL // 2 + 1), "😀" * (FULL_CELL // 2) + "…"),
    Hard("", "", None),
    Hard(None, "", None),
]

WITH_NUL = Hard("before\0after", "before\ufffdafter", "before\ufffdafter")
"""SQLite keeps it; PostgreSQL refuses it."""
