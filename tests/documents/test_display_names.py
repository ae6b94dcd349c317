"""A file's name is shown to people and never touches a file system."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.documents.display_names import NAME_MAX_BYTES, display_name


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("scan.pdf", "scan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\Scan 1.pdf", "Scan 1.pdf"),
        ("..", "unnamed"),
        ("", "unnamed"),
        (None, "unnamed"),
        ("a\x00b\r\nSet-Cookie: x.pdf", "ab Set-Cookie: x.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("Re\u0301sume\u0301.pdf", "Résumé.pdf"),
        ("报告 📄.pdf", "报告 📄.pdf"),
        (".hidden. ", "hidden"),
        ("\ud800broken.pdf", "?broken.pdf"),
    ],
)
def test_names_people_send(sent: str | None, shown: str) -> None:
    assert display_name(sent) == shown


def test_an_over_long_name_keeps_its_extension() -> None:
    shown = display_name("ü" * 5000 + ".pdf")
    assert shown.endswith("ü.pdf")
    assert NAME_MAX_BYTES - 1 <= len(shown.encode()) <= NAME_MAX_BYTES


@given(st.text(max_size=400))
def test_any_name_is_made_fit_for_display(sent: str) -> None:
    shown = display_name(sent)
    assert shown and len(shown.encode()) <= NAME_MAX_BYTES
    assert "/" not in shown and "\\" not in shown and not shown.startswith(".")
    assert not any(unicodedata.category(mark) in ("Cc", "Cf", "Cs") for mark in shown)
    assert display_name(shown) == shown
