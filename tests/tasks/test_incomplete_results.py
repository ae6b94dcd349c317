"""Results of which part was not done say so in the job's message, and are found by a tag."""

from typing import Any

import pytest

from tasks.email_batch import Outcome
from tasks.ocr.pages import FailedPage
from tasks.ocr.results import PdfText
from tasks.thumbnails import FailedDocument, ThumbnailsMade
from tasks.video_transcode import FormatFailed, VideoMade


def campaign(**counts: int) -> Outcome:
    other = dict.fromkeys(("bounced", "failed", "suppressed", "skipped", "unknown"), 0) | counts
    return Outcome(recipients=1200, sent=1200 - sum(other.values()), **other)


def reading(failed: int, doubtful: list[int]) -> PdfText:
    pages = [FailedPage(2, "torn")][:failed]
    return PdfText(
        pages=3,
        words=9,
        ocr_pages=3,
        text_layer_pages=0,
        blank_pages=0,
        failed=failed,
        failed_pages=pages,
        doubtful_pages=doubtful,
    )


@pytest.mark.parametrize(
    ("result", "message", "tags"),
    [
        (campaign(), "", ()),
        (campaign(suppressed=3, skipped=1), "", ()),
        (campaign(bounced=3, unknown=1), "Completed, of 1,200 recipients 3 bounced, 1 in doubt", ("incomplete",)),
        (ThumbnailsMade(2, 2, 0, 0, []), "", ()),
        (
            ThumbnailsMade(1, 0, 0, 1, [FailedDocument("file-1", "torn")]),
            "Completed, 1 of 1 document without thumbnails",
            ("incomplete",),
        ),
        (VideoMade([], [], "/poster", "/strip", None), "", ()),
        (
            VideoMade([], [FormatFailed("4k", "why")], None, "/s", None),
            "Completed, without 4k, poster",
            ("incomplete",),
        ),
        (reading(0, []), "", ()),
        (reading(0, [3]), "Completed, 1 of 3 pages read doubtfully (3)", ("doubtful",)),
        (reading(1, []), "Completed, 1 of 3 pages not read (2)", ("doubtful", "incomplete")),
    ],
)
def test_what_is_lacking_is_in_the_message_and_a_tag_finds_it(result: Any, message: str, tags: tuple[str, ...]) -> None:
    assert (result.summary, result.tags) == (message, tags)
