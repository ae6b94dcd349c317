"""Languages that can be read, and which weights each needs. EasyOCR names them; this list needs nothing installed."""

from pathlib import Path

import msgspec

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


class Language(msgspec.Struct):
    """A language code of EasyOCR, the weights it needs, and whether they are here."""

    code: str
    weights: str
    installed: bool


def languages(data_dir: Path) -> list[Language]:
    """All of them, by code. English counts as installed everywhere: its weights come with the workers."""
    return sorted(
        (
            Language(code, file, code == "en" or (added_weights(data_dir) / file).is_file())
            for file, codes in WEIGHTS.items()
            for code in codes.split()
        ),
        key=lambda language: language.code,
    )


def refusal(asked: list[str], data_dir: Path) -> str | None:
    """Why these languages cannot be read here, in one sentence; None where they can."""
    known = {language.code: language for language in languages(data_dir)}
    if not asked:
        return "Name at least one language, such as en."
    for code in asked:
        if code not in known:
            return f"The language {code[:20]!r} is not known; GET /api/ocr/languages lists those that are."
        if not known[code].installed:
            return (
                f"The language {code!r} is not installed: it needs EasyOCR's weights {known[code].weights}, "
                "to be put into the folder weights of the data directory."
            )
    if len({known[code].weights for code in asked if code != "en"}) > 1:
        return "These languages are read by different networks: ask for one of them, with or without en."
    return None


def added_weights(data_dir: Path) -> Path:
    """Where an operator puts weights for further languages."""
    return data_dir / "weights"
