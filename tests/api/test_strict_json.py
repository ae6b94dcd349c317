"""Bodies of requests: each wrong value is named with its place and what it may be."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
import pytest

from service.api.errors import BadRequest
from service.api.strict_json import decode_body


class Colour(StrEnum):
    """Some choices."""

    RED = "red"
    BLUE = "blue"


class Shape(msgspec.Struct):
    """A struct within the body's."""

    kind: Literal["disk", "box"] | None = None
    sides: int = 0


class Body(msgspec.Struct):
    """Choices alone, in a list, in a struct of a list, and values with bounds."""

    colour: Colour | None = None
    colours: Annotated[list[Colour], msgspec.Meta(max_length=2)] = []
    shapes: list[Shape] | None = None
    by_name: dict[str, Colour] = {}
    name: Annotated[str, msgspec.Meta(min_length=1)] = "a"
    count: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ('{"colour": "green"}', "colour", "colour must be red or blue."),
        ('{"colours": ["red", "green"]}', "colours[1]", "colours[1] must be red or blue."),
        ('{"shapes": [{"kind": "ball"}]}', "shapes[0].kind", "shapes[0].kind must be disk or box."),
        ('{"shapes": [{"sides": "4"}]}', "shapes[0].sides", "shapes[0].sides must be a whole number, not text."),
        ('{"by_name": {"a": "green"}}', "by_name[]", "by_name[] must be red or blue."),
        ('{"colours": 7}', "colours", "colours must be a list, not a whole number."),
        ('{"colours": ["red", "red", "red"]}', "colours", "colours must have at most 2 values."),
        ('{"name": ""}', "name", "name must not be empty."),
        ('{"count": 0}', "count", "count must be at least 1."),
        ('{"count": 10}', "count", "count must be at most 9."),
    ],
)
def test_a_wrong_value_is_named_with_what_it_may_be(body: str, field: str, sentence: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decode_body(body.encode(), Body)
    assert [(one.field, one.message) for one in refused.value.errors] == [(field, sentence)]
