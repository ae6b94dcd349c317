"""Engines: one that is not installed says so, and the default one does without it."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.ocr.engines import ReadPage, ReadWord, Sheet, auto, easyocr
from tasks.ocr.engines.auto import Auto
from tasks.sdk.errors import Permanent


@pytest.fixture
def without_easyocr(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation of the extra `ocr` alone, as the import system sees it."""
    for module in ("easyocr", "torch", "nncf", "easyocr_en_models"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(easyocr, "find_spec", lambda name: None)
    monkeypatch.setattr(auto, "find_spec", lambda name: None)


def doubtful_sheet() -> Sheet:
    noise = np.random.default_rng(0).integers(0, 90, (300, 900)).astype(np.uint8)
    page = Image.new("L", (900, 300), 255)
    ImageDraw.Draw(page).text((40, 100), "Rental agreement", 0, ImageFont.load_default(30))
    smeared = np.asarray(page.resize((120, 40)).resize((900, 300)))
    return Sheet(np.maximum(smeared // 2 + 100, noise), 900, np.zeros((0, 5), np.float32), 1.0)


@pytest.mark.usefixtures("without_easyocr")
def test_an_engine_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="EasyOCR is not installed here"):
        easyocr.prepared(("en",), tmp_path)


@pytest.mark.usefixtures("without_easyocr")
def test_auto_reads_without_easyocr_what_it_doubts(tmp_path: Path) -> None:
    assert auto.prepared(("de",), tmp_path)
    assert Auto(("de",), tmp_path).read(doubtful_sheet()).engine == "rapidocr"


def test_auto_waits_for_no_conversion(tmp_path: Path) -> None:
    """EasyOCR is installed and its networks are not there: the first reading stands."""
    engine = Auto(("en",), tmp_path)
    engine._first = Unsure()
    assert engine.read(doubtful_sheet()).engine == "unsure"
    assert not list(tmp_path.iterdir())


class Unsure:
    """An engine that reads one word and doubts it."""

    name = "unsure"

    def read(self, sheet: Sheet) -> ReadPage:
        """See Engine.read."""
        return ReadPage([ReadWord("word", (0, 0, 10, 10), 0.3)])
