"""Corrections of a page by people, laid over whatever was read there: by this reading, and by the next one."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tasks.ocr.confidence import is_unsure, unsure
from tasks.ocr.doubt_kinds import ENDED_BY_WORDS, kind_of
from tasks.ocr.pages import checkpoint_name
from tasks.ocr.text import assemble
from tasks.ocr.words import Box, PageText, Word, decode, encode

COVERED = 0.5
"""Share of a word that must lie in a correction's box, and share of the box that its words must cover, to be its own."""


class Edit(msgspec.Struct):
    """Words within `box` (points of the page as displayed) that a person has read. An empty `after` removes them."""

    box: Box
    before: str
    after: str
    confidence: float = 0.0
    """Of the engine in what it had read: 0 to 1."""


class PageCorrection(msgspec.Struct):
    """Everything that people have said of a page."""

    edits: list[Edit] = msgspec.field(default_factory=list)
    approved: str = ""
    """Digest of the text that a person has found to be right; empty for none."""
    turned: int | None = None
    """Degrees clockwise (0, 90, 180, 270) that bring the page upright; None where no person has set them."""


NO_CORRECTION = PageCorrection()


def corrected(page: PageText, correction: PageCorrection) -> PageText:
    """The page with its corrections. A correction that no longer finds its words is left out, and is a doubt."""
    words, misfits = list(page.words), 0
    for edit in correction.edits:
        found = [word for word in words if _inside(word.box, edit.box)]
        if _covers(found, edit.box):
            words = _replaced(words, found, edit, page.rotation)
        elif edit.after:
            misfits += 1
    changed = msgspec.structs.replace(
        page, words=[msgspec.structs.replace(word, order=n) for n, word in enumerate(words)]
    )
    if changed.words:
        changed.text = assemble(changed.words)
    _judge(page, changed, correction, misfits)
    return changed


def text_digest(page: PageText) -> str:
    """Digest of a page's text, by which an approval knows it again."""
    return hashlib.sha256(page.text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _judge(read: PageText, page: PageText, correction: PageCorrection, misfits: int) -> None:
    """Set confidence and doubt of a corrected page."""
    engine = page.engine or ""
    # The share of letters that were unsure and are not any more is what the page's confidence gains.
    gained = unsure(read.words, engine) - unsure(page.words, engine)
    page.confidence = round(min(1.0, max(0.0, read.confidence + gained)), 4)
    if correction.approved == text_digest(page):
        page.confidence, page.doubtful, page.doubt = 1.0, False, None
    elif misfits:
        page.doubtful = True
        page.doubt = (
            f"{misfits} correction{'' if misfits == 1 else 's'} no longer fit{'s' if misfits == 1 else ''} "
            "what was read on the page: see whether the text is right."
        )
    elif page.doubtful and kind_of(page.doubt) in ENDED_BY_WORDS and not doubtful_words(page):
        page.doubtful, page.doubt = False, None


def doubtful_words(page: PageText) -> list[Word]:
    """Words that a person should look at, in reading order."""
    return [word for word in page.words if word.corrected is not True and is_unsure(word, page.engine)]


def _replaced(words: list[Word], found: Sequence[Word], edit: Edit, rotation: int) -> list[Word]:
    place = words.index(found[0])
    own = {id(word) for word in found}
    new = _spread(edit.after.split(), edit.box, found[0], rotation)
    kept = [word for word in words[:place] if id(word) not in own]
    return kept + new + [word for word in words[place:] if id(word) not in own]


def _spread(texts: Sequence[str], box: Box, like: Word, rotation: int) -> list[Word]:
    """Words side by side in a box, as wide as they are long, along the direction in which the page reads."""
    if not texts:
        return []
    letters = sum(map(len, texts)) + len(texts) - 1
    backwards = _runs_left(texts[0])
    words, at = [], 0
    for text in texts:
        first, last = at / letters, (at + len(text)) / letters
        if backwards:
            first, last = 1 - last, 1 - first
        words.append(
            Word(text, _slice(box, first, last, rotation), 1.0, like.source, 0, like.line, like.block, corrected=True)
        )
        at += len(text) + 1
    return words


def _slice(box: Box, first: float, last: float, rotation: int) -> Box:
    """The part of a box from `first` to `last` (shares of its length) along the page's direction of reading."""
    x0, y0, x1, y1 = box
    if rotation in (180, 90):
        first, last = 1 - last, 1 - first
    if rotation in (90, 270):
        return x0, round(y0 + first * (y1 - y0), 2), x1, round(y0 + last * (y1 - y0), 2)
    return round(x0 + first * (x1 - x0), 2), y0, round(x0 + last * (x1 - x0), 2), y1


def _runs_left(text: str) -> bool:
    import unicodedata

    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)


def around(words: Sequence[Word]) -> Box:
    """The box round some words."""
    return (
        min(word.box[0] for word in words),
        min(word.box[1] for word in words),
        max(word.box[2] for word in words),
        max(word.box[3] for word in words),
    )


def _inside(box: Box, frame: Box) -> bool:
    return _shared(box, frame) >= COVERED * _area(box)


def _covers(words: Sequence[Word], box: Box) -> bool:
    """Return whether words take up enough of a box to be those it was drawn round, gaps between them included."""
    return bool(words) and _shared(around(words), box) >= COVERED * _area(box)


def _shared(box: Box, other: Box) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def _area(box: Box) -> float:
    return max(1e-6, (box[2] - box[0]) * (box[3] - box[1]))


class CorrectedRun:
    """A run whose kept pages come with their corrections; everything else is the run's own."""

    def __init__(self, run: Any, corrections: Mapping[int, PageCorrection]) -> None:
        self._run = run
        self._corrections = {checkpoint_name(page): one for page, one in corrections.items()}

    async def recall(self, name: str) -> bytes | None:
        """The bytes kept under `name`, of a page with its corrections."""
        data: bytes | None = await self._run.recall(name)
        correction = self._corrections.get(name)
        return data if data is None or correction is None else encode(corrected(decode(data), correction))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)
