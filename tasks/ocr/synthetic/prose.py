"""Plain English with names, sums and dates in it, from a seed."""

import random


def _list(words: str) -> list[str]:
    return words.split()


NOUNS = _list(
    "ledger harbour engine letter winter market witness garden railway council signal library captain "
    "quarter surface pattern measure journal kitchen village bottle weather merchant station contract "
    "bridge archive passage mirror account question machine window storage history product method paper "
    "schedule valley report customer invoice shipment warehouse interest balance chapter evidence "
    "argument purpose"
)
VERBS = _list(
    "carried measured described answered repaired delivered considered published followed examined "
    "recorded opened replaced counted arranged promised returned divided explained gathered finished "
    "expected requested approved"
)
ADJECTIVES = _list(
    "quiet narrow early bright heavy northern careful ordinary wooden distant certain common former broad "
    "steady simple curious recent public private sudden modern faithful grey excellent joint weekly brief "
    "yellow"
)
LINKS = _list("because although while before after unless until since whereas")
PLACES = _list("Bergen Quebec Lisbon Kyoto Valparaiso Zanzibar Hobart Galway Jaffna Uppsala Exeter Windhoek")
NAMES = _list("Abel Joyce Quinn Mercer Okafor Lindqvist Vaughan Kowalski Haddad Fitzgerald Ueda Xavier Boyle Zimmer")
MONTHS = _list("January February March April May June July August September October November December")


def sentences(seed: int, words: int) -> list[str]:
    """Sentences that come to at least `words` words together."""
    rng = random.Random(seed)
    made: list[str] = []
    count = 0
    while count < words:
        made.append(_sentence(rng))
        count += len(made[-1].split())
    return made


def paragraphs(seed: int, words: int) -> list[str]:
    """The same in paragraphs of three to six sentences."""
    rng = random.Random(seed + 1)
    left = sentences(seed, words)
    made: list[str] = []
    while left:
        size = rng.randint(3, 6)
        made.append(" ".join(left[:size]))
        left = left[size:]
    return made


def _sentence(rng: random.Random) -> str:
    shapes = (
        lambda: f"The {_thing(rng)} {rng.choice(VERBS)} the {_thing(rng)} {rng.choice(LINKS)} {_clause(rng)}.",
        lambda: f"In {rng.choice(PLACES)}, {_clause(rng)}, and {_clause(rng)}.",
        lambda: f"On {rng.randint(1, 28)} {rng.choice(MONTHS)} {rng.randint(1840, 2025)} {_clause(rng)}.",
        lambda: f"{_person(rng)} {rng.choice(VERBS)} {rng.randint(2, 980)} of them; {_clause(rng)}.",
        lambda: (
            f"It came to ${rng.randint(1, 99)},{rng.randint(100, 999)}.{rng.randint(10, 99)} ({rng.randint(2, 98)}%)."
        ),
        lambda: f'"Every {rng.choice(NOUNS)} is {rng.choice(ADJECTIVES)}," said {_person(rng)}.',
        lambda: f"Was the {_thing(rng)} {rng.choice(VERBS)} by {_person(rng)}, or by the {rng.choice(NOUNS)}?",
    )
    return rng.choice(shapes)()


def _clause(rng: random.Random) -> str:
    return f"{_person(rng)} {rng.choice(VERBS)} a {_thing(rng)} near the {rng.choice(NOUNS)}"


def _thing(rng: random.Random) -> str:
    return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"


def _person(rng: random.Random) -> str:
    return rng.choice((f"Mr. {rng.choice(NAMES)}", f"{rng.choice(NAMES)}", f"J. {rng.choice(NAMES)}"))
