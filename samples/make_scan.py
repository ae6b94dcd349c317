"""Make samples/scan.pdf: three pages that look as if they came from an office scanner, with no text layer.

Run: `python samples/make_scan.py`. Every machine makes the same pages. `PAGES` is what a perfect reader would read.
"""

from pathlib import Path

from tasks.ocr.synthetic.scan import Wear, as_pdf, pictures
from tasks.ocr.synthetic.typeset import Run, Style, Typesetter

DPI = 150
"""What office scanners send by mail unless told otherwise."""

WEAR = Wear(skew=0.8, noise=6.0, quality=60, blur=0.5)
"""An ordinary sheet through an ordinary feeder: a little askew, soft and grey."""

HEADING, BODY = Style("Times-Bold", 20), Style("Times-Roman", 14)

PAGES = (
    """Meeting of the harbour board

Minutes of the fourteenth meeting, held in the old
customs house on a wet Thursday in November.

The chair opened the meeting at nine and thanked the
members for coming in spite of the storm. The minutes
of the thirteenth meeting were read and accepted.

The harbour master reported that 312 vessels had called
since the last meeting, eleven more than in the year
before. The dredging of the eastern channel was finished
two weeks late and 4,500 below its budget.

Mrs Lindqvist asked why the crane on the north quay had
stood idle for nine days. The harbour master replied that
a bearing had failed and that the spare part had been sent
to the wrong port.

It was decided to keep two bearings in store from now on.""",
    """The new warehouse

The architect showed three drawings of the warehouse that
is to stand behind the fish market. The first keeps the
brick front of 1904 and builds behind it. The second takes
everything down. The third leaves the front and the roof
and puts a steel frame between them.

The treasurer had reckoned the cost of each: 2,180,000 for
the first, 1,640,000 for the second and 2,950,000 for the
third. Nobody spoke for the third.

Mr Okafor said that a town which pulls down its oldest
front will be looking for it on postcards ten years later.
The board voted six to two for the first drawing.

Work begins in April, when the frost is out of the ground,
and should be done before the herring season.""",
    """Other business

The library asked whether the old charts in the cellar
could be scanned before the damp reaches them. There are
about 900 sheets, the largest a metre wide. The board gave
the librarian leave to borrow them twenty at a time.

The ferry company wishes to run a boat on Sunday evenings
from May to September. The residents of Pier Street have
written against it. The matter was put off until both have
been heard.

The next meeting is on the second Thursday in January at
nine. The chair wished everyone a quiet winter and closed
the meeting at a quarter to twelve.

Signed for the board by the secretary""",
)


def typeset() -> bytes:
    """The pages as a PDF with its text as text; the first line of each is its heading."""
    setter = Typesetter()
    for text in PAGES:
        heading, *paragraphs = text.split("\n\n")
        setter.page([Run([heading], HEADING), Run([paragraph.replace("\n", " ") for paragraph in paragraphs], BODY)])
    return setter.save()


def main() -> None:
    """Write the PDF beside this file."""
    Path(__file__).with_name("scan.pdf").write_bytes(as_pdf(pictures(typeset(), DPI, WEAR, seed=7), DPI, quality=55))


if __name__ == "__main__":
    main()
