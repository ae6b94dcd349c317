"""Facts of an invoice that are found in its text."""

import pytest
from invoice_extract.reading import read_invoice

ENGLISH = """ACME Ltd.
Invoice No. INV-2026/0417
Date: 17 April 2026
Consulting   1,050.00
Subtotal     1,050.00
VAT            234.50
Total due   $ 1,284.50
"""

GERMAN = """Muster GmbH
Rechnungsnummer: 2026-0417
Datum 17.04.2026
Netto 1.079,41
Gesamtbetrag 1.284,50 EUR
"""


@pytest.mark.parametrize(
    ("text", "number", "currency"), [(ENGLISH, "INV-2026/0417", "USD"), (GERMAN, "2026-0417", "EUR")]
)
def test_an_invoice(text: str, number: str, currency: str) -> None:
    found = read_invoice(text)
    assert found == {"number": number, "date": "2026-04-17", "total": "1284.50", "currency": currency}


@pytest.mark.parametrize("text", ["", "A letter about nothing.\n", "We invoice monthly, 99.99.2026, totally\n"])
def test_what_is_none(text: str) -> None:
    assert read_invoice(text) == {"number": None, "date": None, "total": None, "currency": None}
