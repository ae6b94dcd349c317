"""Work of the child process, second half: the document set as a tagged PDF by typst, and each page read once again."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tasks.exports.progress_file import Tally

TEMPLATE = Path(__file__).with_name("report.typ")

FONT_PACKAGES = ("fontpkg_inter", "manimgx_fonts", "manimgx_fonts_cjk")
"""Fonts come from pinned packages and never from the system: the same report has the same pages on every machine."""

UA: Any = ["1.7", "ua-1"]
PLAIN: Any = ["1.7"]
"""Tagged as well, and not claimed to be PDF/UA: for text with a letter that none of the fonts has."""


@cache
def fonts() -> Any:
    """The fonts of FONT_PACKAGES, found once in a child's life."""
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[str(files(package)) for package in FONT_PACKAGES])


def set_report(folder: Path, tally_path: Path) -> int:
    """Set `document.json` of the folder as `report.pdf` in it. Returns the number of its pages.

    Pages are counted in `tally_path` as they are read again: one that a reader could not open fails here, not in a mailbox.
    """
    import typst

    (folder / "main.typ").write_bytes(TEMPLATE.read_bytes())
    compiler = typst.Compiler(root=str(folder), font_paths=fonts())
    main, target = str(folder / "main.typ"), str(folder / "report.pdf")
    try:
        compiler.compile(main, output=target, format="pdf", pdf_standards=UA)
    except typst.TypstError as error:
        if "could not be displayed" not in error.message:
            raise
        compiler.compile(main, output=target, format="pdf", pdf_standards=PLAIN)
    return _read_again(Path(target), tally_path)


def _read_again(path: Path, tally_path: Path) -> int:
    import pypdfium2

    with pypdfium2.PdfDocument(path) as pdf:
        tally = Tally(tally_path, len(pdf))
        try:
            for number in range(len(pdf)):
                page = pdf[number]
                text = page.get_textpage()
                if f"of {len(pdf)}" not in text.get_text_range().replace("\u200b", ""):
                    raise RuntimeError(f"page {number + 1} of the report lacks its number")
                text.close()
                page.close()
                tally.add(1)
        finally:
            tally.close()
        return len(pdf)
