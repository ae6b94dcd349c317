"""How well a text was read."""

import re
from collections import Counter


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\S+", text))


def recall(found: str, truth: str) -> float:
    """The share of the truth's words that were found, each as often as it stands there, case counting."""
    expected = words(truth)
    return (expected & words(found)).total() / expected.total()


def precision(found: str, truth: str) -> float:
    """The share of the found words that stand in the truth."""
    return recall(truth, found)
