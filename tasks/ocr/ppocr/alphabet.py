"""Letters that are looked for. The recogniser knows 18,708 of Latin, Chinese and Japanese writing, and Greek without its
accents, which is not Greek; among fewer it is faster, and takes no accent for a character of another writing."""

import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

SIGNS = "–—‘’“”„‚«»‹›…•·§¶†‡°€£¥¢©®™±×÷µ²³¹½¼¾¡¿ªº№→←↑↓−≤≥≈≠√∞■□●○▪☐☑☒✓✔★☆"  # noqa: RUF001
"""Signs of print beyond those of ASCII."""

ACCENTED = {
    "af": "áéèêëíîïóôúû",
    "bs": "čćđšž",
    "cs": "áčďéěíňóřšťúůýž",
    "cy": "âêîôûŵŷáéíóúàèìòùäëïöü",
    "da": "æøåé",
    "de": "äöüßéèàç",
    "en": "éèêàçñöüï",
    "es": "áéíñóúü",
    "et": "äõöüšž",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "ga": "áéíóú",
    "hr": "čćđšž",
    "hu": "áéíóöőúüű",
    "id": "é",
    "is": "áðéíóúýþæö",
    "it": "àèéìíîòóù",
    "ku": "çêîşû",
    "la": "āēīōūæœ",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž",
    "mi": "āēīōū",
    "ms": "é",
    "mt": "ċġħżàèìòù",
    "nl": "áéèëïíóöúü",
    "no": "æøåéòôà",
    "oc": "áàçéèëíïóòúü",
    "pl": "ąćęłńóśźż",
    "pt": "áàâãçéêíóôõúü",
    "ro": "ăâîșțşţ",
    "rs_latin": "čćđšž",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "sl": "čšž",
    "sq": "çë",
    "sv": "äåöé",
    "sw": "",
    "tl": "ñáéíóú",
    "tr": "çğıİöşüâîû",
    "uz": "",
}
"""Languages in Latin letters, by EasyOCR's codes, and the small letters of each beyond a to z."""

ALL = frozenset({"ch_sim", "ch_tra", "ja"})
"""Languages for which every letter is looked for."""

LANGUAGES = frozenset(ACCENTED) | ALL
"""Codes of the languages that the recogniser reads."""


def _both_cases(letters: str) -> str:
    # An upper case of two letters, as that of ß, is made of letters that are here.
    return letters + "".join(letter.upper() for letter in letters if len(letter.upper()) == 1)


BASE = frozenset(string.ascii_letters + string.digits + string.punctuation + SIGNS + " ")
LATIN = BASE | frozenset("".join(map(_both_cases, ACCENTED.values())) + "ÅŒœŸÿſ")
"""Looked for where the language is not known better than that it is written in Latin."""


def letters_of(languages: tuple[str, ...]) -> frozenset[str] | None:
    """The letters to look for in a text of these languages; None for all."""
    if ALL & set(languages):
        return None
    # English is what a client asks for that asks for nothing.
    if languages == ("en",):
        return LATIN
    own = "".join(_both_cases(ACCENTED.get(language, "")) for language in languages)
    return BASE | frozenset(own)


def chosen(alphabet: tuple[str, ...], letters: frozenset[str] | None) -> "numpy.ndarray":
    """The classes of `letters` in `alphabet`, with that of no letter; all of them for None."""
    import numpy as np

    if letters is None:
        return np.arange(len(alphabet))
    return np.array([0, *(number for number, letter in enumerate(alphabet) if letter in letters)])
