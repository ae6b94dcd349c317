"""Documents to make thumbnails of: photos as hard to decode as a camera's, and scanned pages."""

import asyncio
import os
from pathlib import Path

from PIL import Image, ImageChops

from service.engine.pool.cpu_pool import CpuPool

DISTINCT = 3
"""Different pictures of a kind; the rest are links to them, since making 24 megapixels takes longer than using them."""


def photo(width: int, height: int, seed: int) -> Image.Image:
    """Soft shapes under a camera's noise: as hard to decode as a photo, whose bytes a pixel it has."""
    soft = Image.effect_noise((width // 64, height // 64), 90).resize((width, height), Image.Resampling.BICUBIC)
    slope = Image.linear_gradient("L").rotate(90 * seed).resize((width, height))
    noise = Image.effect_noise((width, height), 6)
    colours = Image.merge("RGB", (soft, slope, ImageChops.invert(soft)))
    return ImageChops.add(colours, Image.merge("RGB", (noise, noise, noise)), 2)


async def make_documents(folder: Path, photos: int, pdfs: int, workers: int) -> dict[str, list[Path]]:
    """Two fifths JPEG of 12 megapixels, two fifths of 24, one fifth PNG of 12; PDFs of a scanned page."""
    shares = {"12 MP JPEG": photos * 2 // 5, "24 MP JPEG": photos * 2 // 5, "12 MP PNG": photos // 5, "PDF": pdfs}
    sides = {"12 MP JPEG": (4000, 3000), "24 MP JPEG": (6000, 4000), "12 MP PNG": (4000, 3000), "PDF": (1654, 2339)}
    made = {
        kind: [folder / f"{kind.replace(' ', '-')}-{number}.{kind.rsplit(' ')[-1].lower()}" for number in range(count)]
        for kind, count in shares.items()
    }
    # Not in this process: on Linux a program it starts is charged with the memory it once had itself.
    pool = CpuPool(workers, name="documents")
    originals = [(path, *sides[kind], n) for kind, paths in made.items() for n, path in enumerate(paths[:DISTINCT])]
    await asyncio.gather(*(pool.run(save_photo, *original) for original in originals))
    await pool.close()
    for paths in made.values():
        for number, path in enumerate(paths[DISTINCT:]):
            os.link(paths[number % DISTINCT], path)
    return made


def save_photo(path: Path, width: int, height: int, seed: int) -> None:
    photo(width, height, seed).save(path, resolution=200, quality=90, compress_level=6)
