"""How well a text was read: recall and precision over its words as a bag, case counting, punctuation not."""

import re
import unicodedata
from collections import Counter


def words(text: str) -> Counter[str]:
    """Runs of two or more letters or digits, each as often as it stands in the text."""
    # A transcript may write an accent as a character of its own, which would split the word.
    return Counter(re.findall(r"[^\W_]{2,}", unicodedata.normalize("NFC", text)))


def recall(found: str, truth: str) -> float:
    """The share of the truth's words that were found."""
    expected = words(truth)
    return (expected & words(found)).total() / max(1, expected.total())


def precision(found: str, truth: str) -> float:
    """The share of the found words that stand in the truth."""
    return recall(truth, found)
