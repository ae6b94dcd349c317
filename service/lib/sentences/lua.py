"""Messages of jobs that the Lua scripts of the queue server write."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from service.lib.sentences.cases import Hole, Part
from service.lib.sentences.extraction import speaks, written

MESSAGE = re.compile(r"'message', ((?:'[^'\n]*'|\.\.|\.?\w+|\([^()\n]*\)| )+)")

TOKEN = re.compile(r"'([^']*)'|([A-Za-z_][\w.]*)")


def messages(source: str) -> list[str]:
    """Every message of a script, such as `Goes on: the event {name} has come`."""
    found = {written(tuple(_parts(one[1]))) for one in MESSAGE.finditer(source)}
    return sorted(message for message in found if speaks(message))


def _parts(expression: str) -> Iterator[Part]:
    for one in re.split(r" \.\. ", expression.strip()):
        text, name = next(iter(TOKEN.findall(one)), ("", "value"))
        yield text if text else Hole(name.rpartition(".")[2] or "value")


def extract(
    file: BinaryIO, keywords: Iterable[str], comment_tags: Iterable[str], options: Mapping[str, Any]
) -> Iterator[tuple[int, None, str, list[str]]]:
    """The extractor, as Babel calls it."""
    for message in messages(file.read().decode()):
        yield 0, None, message, []
