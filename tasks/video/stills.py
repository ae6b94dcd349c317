"""Stills of a video: a poster, and a strip of small pictures for a player's bar, both WebP."""

from pathlib import Path

import msgspec

from tasks.sdk import Permanent, ProgramFailed, Run
from tasks.video.ffmpeg import last_reason, reading
from tasks.video.formats import RECIPE, Format, Size, scaled

POSTER, STRIP = f"r{RECIPE}-poster.webp", f"r{RECIPE}-strip.webp"
"""Names in the storage."""

TILES = 10
"""Pictures of a strip: at 160 pixels each it is as wide as a player on a laptop."""

TILE_SIDE = 160
"""Longer side of a picture of the strip in pixels."""

POSTER_FORMAT: Format = "720p"
"""A poster is never larger than this format."""

PLAIN = 12.0
"""Standard deviation of brightness, of 255, below which a frame counts as plain: black, white, a fade."""

FRAME_TIMEOUT_S = 60.0
"""A seek decodes from the key frame before: ten seconds of 8K at most, as cameras write them."""

WEBP_QUALITY = 80


class Stills(msgspec.Struct):
    """Facts of the strip, for a player: `tiles` pictures side by side, `tile_seconds` apart from the beginning on."""

    tiles: int
    tile_width: int
    tile_height: int
    tile_seconds: float


async def frames(run: Run, source: Path, media_type: str, size: Size, seconds: float) -> list[Path]:
    """Pictures at even distances, in order; at least one. Each is found by a seek, so a long video costs no more."""
    shown = scaled(size, POSTER_FORMAT)
    made: list[Path] = []
    for number in range(TILES):
        path = run.scratch / f"frame-{number:02d}.png"
        command = [
            *reading(source, media_type, "-ss", f"{seconds * number / TILES:.3f}", level="error"),
            *("-map", "0:V:0", "-frames:v", "1", "-vf", f"scale={shown.width}:{shown.height},setsar=1"),
            *("-pix_fmt", "rgb24", "-c:v", "png", "-f", "image2", "-update", "1", "-y", f"file:{path}"),
        ]
        try:
            await run.program(command, timeout_s=FRAME_TIMEOUT_S)
        except ProgramFailed as error:
            if not made:
                raise Permanent(f"It has no picture to show: {last_reason(error.errors, source)}.") from None
            # A damaged passage costs its pictures only.
            continue
        if path.exists():
            made.append(path)
    if not made:
        raise Permanent("It has no picture to show.")
    return made


def make_stills(pictures: list[Path], folder: Path, seconds: float) -> Stills:
    """Write poster and strip into `folder`. The poster is the first picture that is not plain, else the least plain.

    Runs in a child of the process pool.
    """
    from PIL import Image, ImageStat

    opened = [Image.open(path).convert("RGB") for path in pictures]
    contrasts = [ImageStat.Stat(one.convert("L")).stddev[0] for one in opened]
    best = next((at for at, value in enumerate(contrasts) if value >= PLAIN), contrasts.index(max(contrasts)))
    opened[best].save(folder / POSTER, "WEBP", quality=WEBP_QUALITY)
    width, height = opened[0].size
    share = min(1.0, TILE_SIDE / max(width, height))
    tile = (max(1, round(width * share)), max(1, round(height * share)))
    strip = Image.new("RGB", (tile[0] * len(opened), tile[1]))
    for at, one in enumerate(opened):
        strip.paste(one.resize(tile, Image.Resampling.LANCZOS), (at * tile[0], 0))
    strip.save(folder / STRIP, "WEBP", quality=WEBP_QUALITY)
    return Stills(len(opened), *tile, round(seconds / TILES, 3))
