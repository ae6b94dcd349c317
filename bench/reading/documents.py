"""Documents to read, each with the truth of its pages. None is of the pages that the networks were calibrated on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pikepdf

from tasks.ocr.document import count_pages
from tasks.ocr.networks.quantize import SEEDS
from tasks.ocr.synthetic.prose import paragraphs
from tasks.ocr.synthetic.scan import CLEAN, HEAVY, MILD, as_pdf, pictures
from tasks.ocr.synthetic.typeset import Run, Style, Typesetter

FIRST_SEED = 20_000
"""Of the pages that are scored; further pages count up from here."""

WORDS = 470
DPI = 200
WEAR = {"clean": CLEAN, "mild": MILD, "heavy": HEAVY}
STYLES = (Style("Times-Roman", 11), Style("Helvetica", 10), Style("Times-Roman", 10), Style("Helvetica", 11))

SCANS_IN_MIX = 0.25
"""Of the mixed document's pages, scans; the others carry their text."""

DISTINCT = 24
"""Different pages in a long document, which repeats them: no reader remembers a page, and making them takes time."""


@dataclass(frozen=True)
class Document:
    """A file and the truth of its pages; None for a page of which no transcript exists."""

    name: str
    path: Path
    truths: Sequence[str | None]

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
    return Document("slip", path, [truth])


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
        # Opened anew each time round: pages of one opened file would share their pictures, and a scan's do not.
        opened = {id(data): pikepdf.open(BytesIO(data)) for data, _, _ in pages}
        for data, index, _ in pages[: count - start]:
            whole.pages.append(opened[id(data)].pages[index])
    path = folder / f"{name.replace(' ', '-')}.pdf"
    whole.save(path)
    return Document(name, path, [pages[number % len(pages)][2] for number in range(count)])


def real(folder: Path) -> list[Document]:
    """The PDFs and pictures of a folder that can be opened; NAME.txt is the transcript of a one-page NAME."""
    found: list[Document] = []
    for path in sorted(folder.iterdir()):
        pages = _pages(path, count_pages) if path.suffix.lower() in (".pdf", ".png", ".jpg", ".tif") else 0
        transcript = path.with_suffix(".txt")
        truths: list[str | None] = [None] * pages
        if pages == 1 and transcript.exists():
            truths = [transcript.read_text()]
        if pages:
            found.append(Document(path.stem, path, truths))
    return found


def _pages(path: Path, count: Callable[[Path], int]) -> int:
    """0 for a file that cannot be opened."""
    try:
        return count(path)
    except Exception as error:
        print(f"{path.name} is left out: {error}")
        return 0
