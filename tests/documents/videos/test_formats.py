"""Which formats make sense for a source, and how large they become."""

import pytest

from tasks.video.formats import BOXES, FORMATS, Format, Size, refusal, scaled, sensible


@pytest.mark.parametrize(
    ("source", "formats"),
    [
        (Size(64, 48), ["480p"]),
        (Size(854, 480), ["480p"]),
        (Size(856, 480), ["480p", "720p"]),
        (Size(480, 854), ["480p"]),
        (Size(1080, 1920), ["480p", "720p", "1080p"]),
        (Size(2560, 1080), ["480p", "720p", "1080p", "4k"]),
        (Size(7680, 4320), ["480p", "720p", "1080p", "4k"]),
    ],
)
def test_formats_are_those_that_differ(source: Size, formats: list[Format]) -> None:
    assert sensible(source) == formats
    sizes = [scaled(source, format) for format in formats]
    assert len(set(sizes)) == len(sizes)
    for format, size in zip(formats, sizes, strict=True):
        assert size.width <= source.width and size.height <= source.height
        assert sorted((size.width, size.height)) <= sorted(BOXES[format])
        assert size.width % 2 == size.height % 2 == 0
    # What is refused would be no other video.
    assert all(scaled(source, format) == sizes[-1] for format in set(FORMATS) - set(formats))


@pytest.mark.parametrize(
    ("source", "format", "made"),
    [
        (Size(1920, 1080), "480p", Size(852, 480)),
        (Size(1080, 1920), "720p", Size(720, 1280)),
        (Size(321, 241), "480p", Size(320, 240)),
        (Size(10_000, 10), "480p", Size(854, 2)),
        (Size(1, 1), "480p", Size(2, 2)),
    ],
)
def test_a_video_keeps_its_shape_in_even_pixels(source: Size, format: Format, made: Size) -> None:
    assert scaled(source, format) == made


def test_a_refusal_names_what_is_wrong_and_what_to_ask_for() -> None:
    assert refusal("a.mp4", Size(640, 360), ["480p"]) is None
    assert refusal("a.mp4", Size(1280, 720), ["4k", "720p", "1080p"]) == (
        "a.mp4 is 1,280 × 720 pixels, which 720p holds whole: 4k and 1080p would not be larger. Ask for 480p or 720p."
    )
