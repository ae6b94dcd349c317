"""Converted networks are there whole or not at all."""

from pathlib import Path

import pytest

from tasks.ocr.networks.model_cache import Shelf
from tasks.ocr.networks.names import names, state


class Maker:
    """Writes an entry and counts how often it was asked to."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, folder: Path) -> dict[str, object]:
        self.made += 1
        (folder / "network.bin").write_bytes(b"weights")
        return {"alphabet": "abc"}


def test_an_entry_is_made_once_and_kept_with_its_facts(tmp_path: Path) -> None:
    shelf, maker = Shelf(tmp_path / "models"), Maker()
    first = shelf.get("detector", maker)
    assert shelf.get("detector", maker) == first
    assert maker.made == 1
    assert shelf.has("detector")
    assert shelf.facts("detector")["alphabet"] == "abc"


@pytest.mark.parametrize("harm", ["cut short", "changed", "missing", "without manifest"])
def test_a_damaged_entry_is_made_anew(tmp_path: Path, harm: str) -> None:
    shelf, maker = Shelf(tmp_path), Maker()
    entry = shelf.get("detector", maker)
    match harm:
        case "cut short":
            (entry / "network.bin").write_bytes(b"weig")
        case "changed":
            (entry / "network.bin").write_bytes(b"weights!")
        case "missing":
            (entry / "network.bin").unlink()
        case _:
            (entry / "manifest.json").unlink()
    assert shelf.find("detector") is None
    assert not shelf.has("detector")
    shelf.get("detector", maker)
    assert maker.made == 2
    assert (entry / "network.bin").read_bytes() == b"weights"


def test_a_maker_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)

    def fail(folder: Path) -> dict[str, object]:
        (folder / "network.bin").write_bytes(b"half")
        raise RuntimeError("out of disk")

    with pytest.raises(RuntimeError, match="out of disk"):
        shelf.get("detector", fail)
    assert shelf.find("detector") is None
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_start_says_how_the_networks_are(tmp_path: Path) -> None:
    shelf, maker = Shelf(tmp_path), Maker()
    assert "not here yet" in state(shelf, ("en",))
    for name in names(("en",), small=False):
        shelf.get(name, maker)
    assert "smaller and faster ones are made" in state(shelf, ("en",))
    for name in names(("en",), small=True):
        shelf.get(name, maker)
    assert state(shelf, ("en",)) == "The OCR models are here."
    detector = names(("en",), small=True)[0]
    (tmp_path / detector / "network.bin").write_bytes(b"weig")
    assert state(shelf, ("en",)) == f"The OCR models {detector} are damaged and are made again, as at first use."
