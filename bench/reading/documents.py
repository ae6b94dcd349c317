"""Documents to read, each with the words of its pages. None is among the pages that the networks were calibrated on."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pikepdf

from tasks.ocr.document import count_pages
from tasks.ocr.networks.quantize import SEEDS
from tasks.ocr.synthetic.prose import paragraphs
from tasks.ocr.synthetic.scan import CLEAN, HEAVY, MILD, Wear, as_pdf, pictures
from tasks.ocr.synthetic.typeset import Run, Style, Typesetter

FIRST_SEED = 20_000
"""Of the pages that are scored; further pages count up from here."""

WORDS = 470
DPI = 200
TURNED = Wear(turn=90)
WEAR = {"clean": CLEAN, "mild": MILD, "heavy": HEAVY, "turned": TURNED}
STYLES = (Style("Times-Roman", 11), Style("Helvetica", 10), Style("Times-Roman", 10), Style("Helvetica", 11))

SCANS_IN_MIX = 0.25
"""Of the mixed document's pages, scans; the others carry their text."""

DISTINCT = 24
"""Different pages in a long document, which repeats them: no reader remembers a page, and making them takes time."""

READABLE = (".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff")

SROIE_CORNERS = 8
"""Columns before the text of a line in the SROIE set's tables."""


@dataclass(frozen=True)
class Document:
    """Pages of one kind, (file, index in it from 0) each, and their truths; None for a page without a transcript."""

    name: str
    sheets: Sequence[tuple[Path, int]]
    truths: Sequence[str | None]

    @property
    def path(self) -> Path:
        """The file, of a document that is one."""
        return self.sheets[0][0]

    @property
    def pages(self) -> int:
        return len(self.truths)


def check_disjoint(seeds: Sequence[int]) -> None:
    """Raises SystemExit where a page would be scored that the networks were calibrated on."""
    shared = sorted(set(seeds) & set(SEEDS))
    if shared:
        raise SystemExit(f"The networks are calibrated on the pages of seeds {shared}, which cannot be scored too.")


def typeset(seed: int) -> tuple[bytes, str]:
    """One page as a PDF with its text, and its truth. Odd seeds have two columns."""
    check_disjoint([seed])
    setter = Typesetter()
    truth = setter.page([Run(paragraphs(seed, WORDS), STYLES[seed % len(STYLES)], columns=1 + seed % 2)])
    return setter.save(), truth


def scanned(folder: Path, wear: str, count: int) -> Document:
    """A document of `count` pictures of pages, worn as WEAR says."""
    made = [(seed, *typeset(seed)) for seed in range(FIRST_SEED, FIRST_SEED + min(count, DISTINCT))]
    images = [pictures(pdf, DPI, WEAR[wear], seed)[0] for seed, pdf, _ in made]
    data = as_pdf(images, DPI, WEAR[wear].quality)
    return repeated(folder, wear, [(data, number, truth) for number, (_, _, truth) in enumerate(made)], count)


def slip(folder: Path) -> Document:
    """A slip of paper with a few words, for readers to load what they need."""
    setter = Typesetter(size=(300.0, 120.0), margin=20.0)
    truth = setter.page([Run(["Nothing on this slip is scored."])])
    path = folder / "slip.pdf"
    path.write_bytes(as_pdf(pictures(setter.save(), DPI, CLEAN, 0), DPI))
    return Document("slip", [(path, 0)], [truth])


def with_text(folder: Path, count: int) -> Document:
    """A document whose pages all carry their text."""
    made = [typeset(seed) for seed in range(FIRST_SEED, FIRST_SEED + min(count, DISTINCT))]
    return repeated(folder, "text layer", [(pdf, 0, truth) for pdf, truth in made], count)


def mixed(folder: Path, count: int) -> Document:
    """Scans and pages with text by turns, as SCANS_IN_MIX says."""
    made = [typeset(seed) for seed in range(FIRST_SEED, FIRST_SEED + DISTINCT)]
    every = round(1 / SCANS_IN_MIX)
    pages: list[tuple[bytes, int, str]] = []
    for number, (pdf, truth) in enumerate(made):
        scan = number % every == 0
        data = as_pdf(pictures(pdf, DPI, CLEAN, number), DPI, CLEAN.quality) if scan else pdf
        pages.append((data, 0, truth))
    return repeated(folder, "mix", pages, count)


def repeated(folder: Path, name: str, pages: Sequence[tuple[bytes, int, str]], count: int) -> Document:
    """A document of `count` pages, taken in turn from `pages`: (PDF, index of its page, truth)."""
    whole = pikepdf.new()
    for start in range(0, count, len(pages)):
        # Opened each time round: pages of one opened file would share their pictures, and a scan's do not.
        opened = {id(data): pikepdf.open(BytesIO(data)) for data, _, _ in pages}
        for data, index, _ in pages[: count - start]:
            whole.pages.append(opened[id(data)].pages[index])
    path = folder / f"{name.replace(' ', '-')}.pdf"
    whole.save(path)
    truths = [pages[number % len(pages)][2] for number in range(count)]
    return Document(name, [(path, index) for index in range(count)], truths)


def real(folder: Path, most: int) -> list[Document]:
    """The PDFs and pictures of a folder: each folder in it is a kind, and those directly in it are one more.

    Next to each one-page NAME is its transcript in NAME.txt, or its lines in NAME.csv as the SROIE set has them. `most` bounds
    the pages of a kind, which are then taken evenly from all of its files.
    """
    kinds = [_kind(path, most) for path in (folder, *sorted(folder.iterdir())) if path.is_dir()]
    return [kind for kind in kinds if kind.pages]


def _kind(folder: Path, most: int) -> Document:
    sheets: list[tuple[Path, int]] = []
    truths: list[str | None] = []
    for path in sorted(folder.iterdir()):
        pages = _pages(path, count_pages) if path.suffix.lower() in READABLE else 0
        sheets += [(path, index) for index in range(pages)]
        truths += [transcript(path)] if pages == 1 else [None] * pages
    chosen = range(len(sheets)) if len(sheets) <= most else [len(sheets) * place // most for place in range(most)]
    return Document(folder.name, [sheets[index] for index in chosen], [truths[index] for index in chosen])


def transcript(path: Path) -> str | None:
    """The words of a page from the file next to it, or None."""
    if path.with_suffix(".txt").exists():
        return path.with_suffix(".txt").read_text(errors="ignore")
    table = path.with_suffix(".csv")
    if not table.exists():
        return None
    with table.open(errors="ignore", newline="") as lines:
        return "\n".join(",".join(row[SROIE_CORNERS:]) for row in csv.reader(lines, quoting=csv.QUOTE_NONE))


def _pages(path: Path, count: Callable[[Path], int]) -> int:
    """0 for a file that cannot be opened."""
    try:
        return count(path)
    except Exception as error:
        print(f"{path.name} is left out: {error}")
        return 0
