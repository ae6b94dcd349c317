"""What may be asked for, and what is said where it may not."""

import runpy
from importlib.util import find_spec
from pathlib import Path

import pytest

from tasks.ocr.languages import WEIGHTS, languages, refusal


def test_english_is_installed_and_others_are_not(tmp_path: Path) -> None:
    assert [language.code for language in languages(tmp_path) if language.installed] == ["en"]


def test_weights_added_by_an_operator_install_their_languages(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "latin_g2.pth").write_bytes(b"weights")
    installed = [language.code for language in languages(tmp_path) if language.installed]
    assert {"de", "fr", "en"} <= set(installed)
    assert "ru" not in installed
    assert refusal(["de", "en"], tmp_path) is None


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [(["de"], "latin_g2.pth"), (["klingon"], "'klingon' is not known"), ([], "at least one language")],
)
def test_a_language_that_cannot_be_read_is_refused(tmp_path: Path, asked: list[str], sentence: str) -> None:
    assert sentence in str(refusal(asked, tmp_path))


def test_languages_of_two_networks_are_refused_together(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    for file in ("latin_g2.pth", "cyrillic_g2.pth"):
        (tmp_path / "weights" / file).write_bytes(b"weights")
    assert "different networks" in str(refusal(["de", "ru"], tmp_path))


def test_the_list_agrees_with_easyocrs_own() -> None:
    package = find_spec("easyocr")
    if package is None or not package.submodule_search_locations:
        pytest.skip("easyocr is not installed")
    # Read as a file of its own: the package would bring torch along, which takes seconds.
    config = runpy.run_path(f"{package.submodule_search_locations[0]}/config.py")
    networks = {**config["recognition_models"]["gen1"], **config["recognition_models"]["gen2"]}
    assert set(WEIGHTS) <= {network["filename"] for network in networks.values()}
    assert {code for codes in WEIGHTS.values() for code in codes.split()} == set(config["all_lang_list"])
