"""Payloads by the names that JSON has for their fields, which may not be names in Python."""

from service.engine.store.payloads import whole, with_defaults
from tasks.report_pdf import ReportPdf, report_pdf


def test_a_field_goes_by_its_name_in_json_and_an_absent_one_has_its_default() -> None:
    payload = whole(ReportPdf(report="jobs", from_="2026-03-01", to="2026-03-31"))
    assert payload["from"] == "2026-03-01" and "from_" not in payload
    stored = {"report": "jobs", "from": "2026-03-01", "to": "2026-03-31", "colour": "red"}
    read = with_defaults(report_pdf.name, stored)
    assert list(read) == ["report", "from", "to", "owner", "recipients", "zone", "colour"]
    assert (read["from"], read["zone"], read["recipients"]) == ("2026-03-01", "UTC", [])
