"""Languages that can be read, and what each needs. The codes are EasyOCR's; this list needs nothing installed."""

from pathlib import Path

import msgspec

from tasks.ocr.ppocr.alphabet import LANGUAGES

LATIN = (
    "af az bs cs cy da de es et fr ga hr hu id is it ku la lt lv mi ms mt nl no oc pi pl pt ro rs_latin sk sl sq sv sw "
    "tl tr uz vi"
)
WEIGHTS = {
    "english_g2.pth": "en",
    "latin_g2.pth": LATIN,
    "cyrillic_g2.pth": "ru rs_cyrillic be bg uk mn abq ady kbd ava dar inh che lbe lez tab tjk",
    "arabic.pth": "ar fa ug ur",
    "devanagari.pth": "hi mr ne bh mai ang bho mah sck new gom sa bgc",
    "bengali.pth": "bn as mni",
    "zh_sim_g2.pth": "ch_sim",
    "chinese.pth": "ch_tra",
    "japanese_g2.pth": "ja",
    "korean_g2.pth": "ko",
    "thai.pth": "th",
    "tamil.pth": "ta",
    "telugu.pth": "te",
    "kannada.pth": "kn",
}
"""Recognisers' files and the languages each reads (`easyocr.config`); English goes with any of them."""

DETECTOR = "craft_mlt_25k.pth"


WRITING = {
    "english_g2.pth": "Latin",
    "latin_g2.pth": "Latin",
    "cyrillic_g2.pth": "Cyrillic",
    "arabic.pth": "Arabic",
    "devanagari.pth": "Devanagari",
    "bengali.pth": "Bengali",
    "zh_sim_g2.pth": "Chinese",
    "chinese.pth": "Chinese",
    "japanese_g2.pth": "Japanese",
    "korean_g2.pth": "Korean",
    "thai.pth": "Thai",
    "tamil.pth": "Tamil",
    "telugu.pth": "Telugu",
    "kannada.pth": "Kannada",
}
"""The writing system that each of EasyOCR's files reads."""


class Language(msgspec.Struct):
    """A language code, its writing system, EasyOCR's weights for it, and its readers."""

    code: str
    weights: str
    installed: bool
    """True where an engine reads it here."""
    writing: str
    engines: list[str]
    """Engines that read it here: `rapidocr` needs no weights for the writings that it knows."""


def languages(data_dir: Path) -> list[Language]:
    """All of them, by code. EasyOCR's weights for English come with the workers."""
    return sorted(
        (_language(code, file, data_dir) for file, codes in WEIGHTS.items() for code in codes.split()),
        key=lambda language: language.code,
    )


def _language(code: str, file: str, data_dir: Path) -> Language:
    engines = ["rapidocr"] if code in LANGUAGES else []
    if code == "en" or (added_weights(data_dir) / file).is_file():
        engines.append("easyocr")
    return Language(code, file, bool(engines), WRITING[file], engines)


def refusal(wanted: list[str], data_dir: Path, engine: str = "auto") -> str | None:
    """The reason why `engine` cannot read these languages here, in one sentence; None where it can."""
    known = {language.code: language for language in languages(data_dir)}
    if not wanted:
        return "Name at least one language, such as en."
    for code in wanted:
        if code not in known:
            return f"The language {code[:20]!r} is not known; GET /api/ocr/languages lists those that are."
    readers = ("rapidocr", "easyocr") if engine == "auto" else (engine,)
    if "rapidocr" in readers and all("rapidocr" in known[code].engines for code in wanted):
        return None
    for code in wanted:
        if not set(readers) & set(known[code].engines):
            return _missing(known[code], engine)
    if any("easyocr" not in known[code].engines for code in wanted) or (
        len({known[code].weights for code in wanted if code != "en"}) > 1
    ):
        return "These languages are read by different networks: ask for one of them, with or without en."
    return None


def _missing(language: Language, engine: str) -> str:
    if engine == "rapidocr":
        other = " The engine auto reads it." if language.installed else ""
        return f"The language {language.code!r} ({language.writing}) is not read by {engine}.{other}"
    return (
        f"The language {language.code!r} is not installed: it needs EasyOCR's weights {language.weights}, "
        "to be put into the folder weights of the data directory."
    )


def added_weights(data_dir: Path) -> Path:
    """Folder in which an operator puts weights for further languages."""
    return data_dir / "weights"
