"""Languages that may be asked for, and the sentence where they may not."""

import runpy
from importlib.util import find_spec
from pathlib import Path

import pytest

from tasks.ocr.languages import WEIGHTS, languages, refusal
from tasks.ocr.ppocr.alphabet import BASE, LANGUAGES, letters_of
from tasks.ocr.ppocr.networks import networks


def test_each_engine_reads_what_it_has_networks_for(tmp_path: Path) -> None:
    engines = {language.code: language.engines for language in languages(tmp_path)}
    assert engines["en"] == ["rapidocr", "easyocr"]
    assert engines["de"] == engines["ja"] == ["rapidocr"]
    assert engines["ru"] == []


def test_weights_added_by_an_operator_install_their_languages(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "latin_g2.pth").write_bytes(b"weights")
    read = {language.code for language in languages(tmp_path) if "easyocr" in language.engines}
    assert {"de", "fr", "en"} <= read
    assert "ru" not in read
    assert refusal(["de", "en"], tmp_path, "easyocr") is None


@pytest.mark.parametrize("engine", ["auto", "rapidocr"])
@pytest.mark.parametrize("requested", [["de"], ["fr", "de"], ["ja", "en"]])
def test_rapidocr_needs_no_weights(tmp_path: Path, engine: str, requested: list[str]) -> None:
    assert refusal(requested, tmp_path, engine) is None


@pytest.mark.parametrize(
    ("requested", "engine", "sentence"),
    [
        (["de"], "easyocr", "latin_g2.pth"),
        (["ru"], "auto", "cyrillic_g2.pth"),
        (["ru"], "rapidocr", "'ru' (Cyrillic) is not read by rapidocr"),
        (["el"], "auto", "'el' is not known"),
        (["klingon"], "auto", "'klingon' is not known"),
        ([], "auto", "at least one language"),
    ],
)
def test_a_language_that_cannot_be_read_is_refused(
    tmp_path: Path, requested: list[str], engine: str, sentence: str
) -> None:
    assert sentence in str(refusal(requested, tmp_path, engine))


def test_languages_of_two_networks_are_refused_together(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    for file in ("arabic.pth", "cyrillic_g2.pth"):
        (tmp_path / "weights" / file).write_bytes(b"weights")
    assert "different networks" in str(refusal(["ar", "ru"], tmp_path))
    assert refusal(["ru", "en"], tmp_path) is None
    assert "different networks" in str(refusal(["ru", "de"], tmp_path))


@pytest.mark.parametrize("language", sorted(LANGUAGES - {"ch_sim", "ch_tra", "ja"}))
def test_the_recogniser_knows_every_letter_of_the_languages_it_is_asked_for(language: str) -> None:
    letters = letters_of((language,))
    assert letters is not None
    assert not (letters - BASE) - set(networks().alphabet)


def test_the_list_agrees_with_easyocrs_own() -> None:
    package = find_spec("easyocr")
    if package is None or not package.submodule_search_locations:
        pytest.skip("easyocr is not installed")
    # Read as a file of its own: the package would bring torch along, which takes seconds.
    config = runpy.run_path(f"{package.submodule_search_locations[0]}/config.py")
    networks = {**config["recognition_models"]["gen1"], **config["recognition_models"]["gen2"]}
    assert set(WEIGHTS) <= {network["filename"] for network in networks.values()}
    assert {code for codes in WEIGHTS.values() for code in codes.split()} == set(config["all_lang_list"])
