"""Number, date and total of an invoice in English or German, from the text that OCR has read."""

import re
from datetime import date, datetime

NUMBER = re.compile(
    r"\b(?:invoice|rechnungs?)[\s-]*(?:no\b\.?|number\b|nr\b\.?|nummer\b|#)?[\s:#]*([A-Z0-9][A-Z0-9/-]*\d[A-Z0-9/-]*)",
    re.IGNORECASE,
)
DATE = re.compile(r"\b(\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2} [A-Za-z]+ \d{4})\b")
FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y")
AMOUNT = re.compile(r"(€|\$|£|EUR|USD|GBP)?\s*(\d{1,3}(?:[.,' ]\d{3})*[.,]\d{2}|\d+[.,]\d{2})\s*(€|\$|£|EUR|USD|GBP)?")
CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP"}
TOTALS = re.compile(
    r"\b(grand total|total due|amount due|total|gesamtbetrag|gesamt|rechnungsbetrag|summe)\b", re.IGNORECASE
)
NOT_TOTALS = re.compile(r"\bsub-?total|zwischensumme|netto|\bnet\b", re.IGNORECASE)


def read_invoice(text: str) -> dict[str, str | None]:
    """`number`, `date` (ISO 8601), `total` (with a point and two digits) and `currency`; None for what is not there."""
    number = NUMBER.search(text)
    total, currency = _total(text)
    return {"number": number.group(1) if number else None, "date": _date(text), "total": total, "currency": currency}


def _date(text: str) -> str | None:
    for found in DATE.finditer(text):
        if (day := _day(found.group(1))) is not None:
            return day.isoformat()
    return None


def _day(text: str) -> date | None:
    for form in FORMS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def _total(text: str) -> tuple[str | None, str | None]:
    """The amount in the last line that speaks of a total: subtotals and taxes stand above it."""
    total: tuple[str | None, str | None] = (None, None)
    for line in text.splitlines():
        if not TOTALS.search(line) or NOT_TOTALS.search(line):
            continue
        for before, amount, after in AMOUNT.findall(line):
            sign = before or after
            total = (_plain(amount), CURRENCIES.get(sign, sign or None))
    return total


def _plain(amount: str) -> str:
    """1.284,50 and 1,284.50 as 1284.50: the last separator is the decimal one."""
    return re.sub(r"\D", "", amount[:-3]) + "." + amount[-2:]
