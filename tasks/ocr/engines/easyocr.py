"""EasyOCR: its weights, its boxes and its decoding, its networks on OpenVINO."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.ocr.engines import Engine, ReadPage, Sheet
from tasks.sdk.errors import Permanent

if TYPE_CHECKING:
    from tasks.ocr.easyocr_decoding.reader import EasyReader


class EasyOcr:
    """Reads with whatever networks are on the shelf, and changes to the int8 ones once they are there."""

    name = "easyocr"

    def __init__(self, models: Path, languages: tuple[str, ...]) -> None:
        from tasks.ocr.networks.model_cache import Shelf
        from tasks.ocr.networks.names import names

        self._shelf = Shelf(models)
        self._languages = languages
        self._small = names(languages, small=True)
        self._reader = self._open()

    def read(self, sheet: Sheet) -> ReadPage:
        """See Engine.read."""
        if not self._reader.networks.small and all(self._shelf.has(name) for name in self._small):
            self._reader = self._open()
        words = self._reader.read(sheet.picture, sheet.page_side)
        return ReadPage(words, alphabet=frozenset(self._reader.networks.alphabet))

    def _open(self) -> "EasyReader":
        from tasks.ocr.easyocr_decoding.reader import EasyReader
        from tasks.ocr.networks.network import Networks

        return EasyReader(Networks(self._shelf, self._languages))


def prepared(languages: tuple[str, ...], models: Path) -> bool:
    """True where the networks for `languages` are on the shelf, or are known not to convert.

    Raises Permanent on an installation without EasyOCR.
    """
    if find_spec("easyocr") is None:
        raise Permanent(
            "EasyOCR is not installed here (pip install 'offload[easyocr]'); the engines auto and rapidocr are."
        )
    from tasks.ocr.networks.model_cache import Shelf
    from tasks.ocr.networks.names import ready

    return ready(Shelf(models), languages)


def load(languages: tuple[str, ...], models: Path) -> Engine:
    """On OpenVINO; on torch for languages whose recogniser does not convert."""
    from tasks.ocr.engines import easyocr_torch
    from tasks.ocr.networks.network import Unconvertible

    try:
        return EasyOcr(models, languages)
    except Unconvertible:
        return easyocr_torch.load(languages, models)
