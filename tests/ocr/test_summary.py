"""The end of a reading names the pages that a person should look at."""

import pytest

from tasks.ocr.pages import FailedPage
from tasks.ocr.results import PdfText


@pytest.mark.parametrize(
    ("total", "doubtful", "failed", "message"),
    [
        (12, [], [], ""),
        (12, [4, 7, 9], [], "Completed, 3 of 12 pages read doubtfully (4, 7, 9)"),
        (1, [1], [], "Completed, 1 of 1 page read doubtfully (1)"),
        (3, [], [2], "Completed, 1 of 3 pages not read (2)"),
        (3, [1], [2], "Completed, 1 of 3 pages read doubtfully (1), 1 of 3 pages not read (2)"),
    ],
)
def test_the_sentence_the_tag_and_the_counts(total: int, doubtful: list[int], failed: list[int], message: str) -> None:
    lost = [FailedPage(page, "torn") for page in failed]
    found = PdfText(total, 9, total, 0, 1, len(lost), lost, doubtful)
    assert found.summary == message
    assert found.tags == (("doubtful", *(["incomplete"] if failed else [])) if doubtful or failed else ())
    assert found.counts == {
        "page_read": total - len(failed),
        "page_doubtful": len(doubtful),
        "page_blank": 1,
        "page_failed": len(failed),
    }


def test_many_pages_are_not_all_named() -> None:
    found = PdfText(1_200, 9, 1_200, 0, 0, 0, [], list(range(1, 1_015)))
    assert found.summary.endswith("more)") and "1,014 of 1,200 pages" in found.summary
