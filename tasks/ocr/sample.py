"""The sample that `make run` reads: three pages that look scanned, the same on every machine."""

from tasks.ocr.synthetic.prose import paragraphs
from tasks.ocr.synthetic.scan import Wear, as_pdf, pictures
from tasks.ocr.synthetic.typeset import Run, Style, Typesetter

DPI = 200
WEAR = Wear(skew=0.7, noise=7.0, quality=60)

LETTER = (
    "You are looking at a picture. There is no text in this file, only three photographs of paper, a little crooked "
    "and a little dirty, as a scanner would have made them. If you can search for this sentence, somebody has read it.",
    "The reading is done away from the web server, in a process of its own, so that nobody waits for it. Each page "
    "reports when it is finished, and the bar on your screen moves. If the machine is switched off in the middle, "
    "the pages that were finished stay finished, and the work goes on where it stopped.",
    "Page two is set in two columns, to be read one after the other and not straight across. Page three is a list of "
    "sums, because figures forgive nothing.",
)


def sample_scan() -> tuple[bytes, list[str]]:
    """The sample as a PDF without text, and the truth of its pages."""
    setter = Typesetter()
    heading = Style("Helvetica-Bold", 18)
    truth = [
        setter.page([Run(["A letter to whoever reads this"], heading), Run(LETTER, Style(size=12))]),
        setter.page(
            [Run(["Minutes of the harbour council"], heading), Run(paragraphs(7, 330), Style(size=10.5), columns=2)]
        ),
        setter.page([Run(["Accounts for the quarter"], heading), Run(_accounts(), Style("Helvetica", 11))]),
    ]
    scanned = pictures(setter.save(), DPI, WEAR, seed=7)
    return as_pdf(scanned, DPI), truth


def _accounts() -> list[str]:
    items = ("Rope and canvas", "Lamp oil", "Repairs to the quay", "Postage", "Wages, January", "Wages, February")
    sums = [1_204.50, 318.75, 12_960.00, 86.20, 4_410.00, 4_410.00]
    return [f"{item}: {value:,.2f}" for item, value in zip(items, sums, strict=True)] + [f"Total: {sum(sums):,.2f}"]
