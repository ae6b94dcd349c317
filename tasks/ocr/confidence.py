"""Trust in a page's text: a confidence that was held against real pages, and a sentence where it is low.

An engine's mean confidence says .99 of pages whose every eighth word is wrong. The share of letters in words below a
bound follows the errors; so does letter-like ink that no word covers, the trace of lines that were never found. Fitted
on 190 readings of real pages of eight kinds and their worn, turned and shrunk variants, each kind judged by the others:
of the pages that say .9 or more, 96 % have a recall of .9; of those with a recall under .5 none says .8.
"""

from collections.abc import Sequence

from tasks.ocr.words import Word

UNSURE = {"rapidocr": 0.97, "easyocr": 0.97}
"""Confidence below which an engine's word is likely enough wrong to count; EasyOCR's are lower throughout."""

LOW = {"rapidocr": 0.9, "easyocr": 0.6}
"""Confidence below which a word is doubtful."""

ALLOWED = 0.1
"""Share of letter-like ink outside all words that says nothing: drawings and stamps have as much."""

LOST = 0.5
"""Share of the words that are missing where all such ink lies outside; some of it is not text."""

DOUBTFUL_LETTERS = 0.1
"""Share of letters in doubtful words from which a page is doubtful."""

UNREAD = 0.35
"""Share of letter-like ink outside all words from which a page is doubtful."""

LACKING = 0.05
"""Share of words with letters that the engine does not know from which a page is doubtful: a name or a loan word is less."""

TRUSTED = 0.8
"""Confidence under which a page is doubtful, whatever the reason."""

UNKNOWN_SCRIPT = 0.5
"""Share of letters in doubtful words from which the writing itself is taken to be unknown."""

GUESSWORK = 0.9
"""Share of letters in unsure words from which it is too: an engine is seldom surer of letters that are not its own."""

SEEN_LINES = 3
"""Lines seen on a page of which nothing was read that make it one of unknown writing: a photo has one by chance."""

INKED = 0.01
"""Inked share of a page; a paragraph covers as much."""

GUESSED = 0.5
"""Confidence under which a word of unknown writing is left out: it is a guess at letters that are not on the page."""

FEW_LETTERS = 12
"""Letters that count as hardly anything on a page with ink."""


def share_below(words: Sequence[Word], bound: float) -> float:
    """The share of letters in words read with less confidence than `bound`: 0 to 1."""
    letters = sum(len(word.text) for word in words)
    return sum(len(word.text) for word in words if word.confidence < bound) / letters if letters else 0.0


def share_lacking(probes: Sequence[str], alphabet: frozenset[str] | None) -> float:
    """The share of words seen on a page that have a letter outside an engine's `alphabet`: 0 to 1.

    Such an engine reads é as e at full confidence, so its own confidence does not tell.
    """
    letters = ["".join(letter for letter in word if letter.isalpha()) for word in probes]
    seen = [word for word in letters if word]
    if alphabet is None or not seen:
        return 0.0
    return sum(not alphabet.issuperset(word) for word in seen) / len(seen)


def page_confidence(words: Sequence[Word], unread: float, engine: str, lacking: float = 0.0) -> float:
    """The expected share of the page's words that were read rightly: 0 to 1; 0 where nothing was read.

    `lacking` is the share of its words with letters that the engine does not know.
    """
    if not words:
        return 0.0
    wrong = unsure(words, engine) + LOST * max(0.0, unread - ALLOWED) + lacking
    return round(max(0.0, 1.0 - wrong), 4)


def doubt(
    words: Sequence[Word], unread: float, inked: float, engine: str, lacking: float = 0.0, lines: int = 0
) -> str | None:
    """The reason why a person should look at the page, in one sentence; None where there is none.

    `unread` is the share of letter-like ink outside all words, `inked` the share of the page that is ink, `lacking` the share
    of words with letters that the engine does not know, `lines` the number of lines that were seen, read or not.
    """
    letters = sum(len(word.text) for word in words)
    if not words and lines >= SEEN_LINES:
        return f"Unknown writing: {lines} lines were seen on the page, and none of them could be read."
    if not words:
        return "Nothing could be read, although there is ink on the page."
    if letters < FEW_LETTERS and inked > INKED and unread > UNREAD:
        return "Hardly anything could be read, although there is much ink on the page."
    low = _low(words, engine)
    if low > UNKNOWN_SCRIPT or unsure(words, engine) > GUESSWORK:
        return "Unknown writing: most of the letters were guessed, as in handwriting or a script that the engine lacks."
    if unread > UNREAD:
        return f"{unread:.0%} of what looks like text lies outside all words that were read."
    if low > DOUBTFUL_LETTERS:
        return f"{low:.0%} of the letters stand in words that were read with little certainty."
    if lacking > LACKING:
        return f"Some {lacking:.0%} of the words have letters that {engine} does not know: ask for the page's language."
    confidence = page_confidence(words, unread, engine, lacking)
    if confidence < TRUSTED:
        return f"About {1 - confidence:.0%} of the words may be wrong or missing."
    return None


def is_unsure(word: Word, engine: str | None) -> bool:
    """Return whether a word is doubtful: read with so little confidence that a person should look at it."""
    return word.source == "ocr" and word.confidence < LOW.get(engine or "", LOW["easyocr"])


def without_guesses(words: list[Word], engine: str) -> list[Word]:
    """The words of a page, without the guessed ones where its writing is unknown."""
    if _low(words, engine) <= UNKNOWN_SCRIPT:
        return words
    return [word for word in words if word.confidence >= GUESSED]


def _low(words: Sequence[Word], engine: str) -> float:
    return share_below(words, LOW.get(engine, LOW["easyocr"]))


def unsure(words: Sequence[Word], engine: str) -> float:
    """The share of letters in words that are likely enough wrong to count: 0 to 1."""
    return share_below(words, UNSURE.get(engine, UNSURE["easyocr"]))
