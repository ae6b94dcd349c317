"""Documents made by the tests."""

from io import BytesIO

import pikepdf

from tasks.ocr.synthetic.prose import paragraphs
from tasks.ocr.synthetic.scan import CLEAN, Wear, as_pdf, pictures
from tasks.ocr.synthetic.typeset import Run, Style, Typesetter

DPI = 200


def text_pdf(pages: int = 1, words: int = 120, seed: int = 100) -> tuple[bytes, list[str]]:
    """A PDF with a text layer, and the truth of its pages."""
    setter = Typesetter()
    truth = [setter.page([Run(paragraphs(seed + page, words), Style(size=12))]) for page in range(pages)]
    return setter.save(), truth


def scan_pdf(pages: int = 1, words: int = 60, seed: int = 200, wear: Wear = CLEAN) -> tuple[bytes, list[str]]:
    """A PDF of pictures only, and the truth of its pages."""
    pdf, truth = text_pdf(pages, words, seed)
    return as_pdf(pictures(pdf, DPI, wear, seed), DPI), truth


def blank_pdf(pages: int = 1, size: tuple[float, float] = (595, 842)) -> bytes:
    """Empty pages."""
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page(page_size=size)
    file = BytesIO()
    pdf.save(file)
    return file.getvalue()


def encrypted(data: bytes, password: str = "secret") -> bytes:
    """The PDF, to be opened with a password only."""
    file = BytesIO()
    with pikepdf.open(BytesIO(data)) as pdf:
        pdf.save(file, encryption=pikepdf.Encryption(owner="owner", user=password))
    return file.getvalue()


def joined(*documents: bytes) -> bytes:
    """The pages of several PDFs as one."""
    whole = pikepdf.new()
    for document in documents:
        with pikepdf.open(BytesIO(document)) as pdf:
            whole.pages.extend(pdf.pages)
    file = BytesIO()
    whole.save(file)
    return file.getvalue()
