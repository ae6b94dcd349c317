"""A typeface of one shape for text that is never drawn: embedded, so that no reader substitutes another, as PDF/A asks."""

from functools import cache
from io import BytesIO

UNITS = 1000
"""Units of the typeface to a size of type."""

ADVANCE = 500
"""Width of every glyph."""

ASCENT, DESCENT = 800, -200
"""Height and depth of every glyph; a glyph without extent would be passed over by PDFium."""

NAME = "OffloadInvisible"


@cache
def font_file() -> bytes:
    """The TrueType file. All codes, 0 to 255, lead to one glyph: a box."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

    builder = FontBuilder(UNITS, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    pen = TTGlyphPen(None)
    pen.moveTo((0, DESCENT))
    for corner in ((0, ASCENT), (ADVANCE, ASCENT), (ADVANCE, DESCENT)):
        pen.lineTo(corner)
    pen.closePath()
    box = pen.glyph()
    builder.setupGlyf({".notdef": box, "box": box})
    builder.setupHorizontalMetrics({".notdef": (ADVANCE, 0), "box": (ADVANCE, 0)})
    builder.setupHorizontalHeader(ascent=ASCENT, descent=DESCENT)
    builder.setupCharacterMap({})
    table = CmapSubtable.newSubtable(0)
    # The one table of a symbolic font that readers ask by code (ISO 32000-1, 9.6.6.4).
    table.platformID, table.platEncID, table.language = 1, 0, 0
    table.cmap = dict.fromkeys(range(256), "box")
    builder.font["cmap"].tables = [table]
    builder.setupNameTable({"familyName": NAME, "styleName": "Regular", "psName": NAME})
    builder.setupOS2(sTypoAscender=ASCENT, sTypoDescender=DESCENT)
    builder.setupPost(keepGlyphNames=False)
    # The same bytes in every process: a copy of a document is told by its hash.
    builder.font["head"].created = builder.font["head"].modified = 3_800_000_000
    builder.font.recalcTimestamp = False
    file = BytesIO()
    builder.save(file)
    return file.getvalue()
