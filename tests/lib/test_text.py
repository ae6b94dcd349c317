"""What an exception says becomes a sentence, and names become a list."""

import pytest

from service.lib.text import as_sentence, listed, with_stop


@pytest.mark.parametrize(
    ("words", "sentence"),
    [("scan.pdf is empty", "scan.pdf is empty."), ("why?", "why?"), ("and so on…", "and so on…"), ("done.", "done.")],
)
def test_a_sentence_ends_once(words: str, sentence: str) -> None:
    assert with_stop(words) == sentence


def test_a_sentence_begins_with_a_capital_and_keeps_the_others() -> None:
    assert as_sentence("the URL of ADA") == "The URL of ADA." and as_sentence("") == "."


@pytest.mark.parametrize(("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_names_are_listed_as_in_a_sentence(names: list[str], text: str) -> None:
    assert listed(names) == text
