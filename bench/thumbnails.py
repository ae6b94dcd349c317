"""Documents a second and peak memory for three thumbnails each, compared with vipsthumbnail, ImageMagick and plain Pillow.

Run: `python -m bench.thumbnails [--photos 200] [--pdfs 100] [--format webp]`; it also writes bench/out/thumbnails.json.
Every peer has two processes, the same files in the page cache, the same sizes, filter quality and effort, and its best
known way of making three sizes: each smaller one from the larger. Fewer photos are as many less of each kind. A peer that
is not installed is left out (Debian: libvips-tools, imagemagick).
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from PIL import Image
from rich.console import Console
from rich.table import Table

from bench.harness.photos import make_documents
from service.engine.pool.cpu_pool import CpuPool
from tasks.images.encode import WEBP_EFFORT
from tasks.images.thumbnails import render_thumbnails
from tasks.images.variants import JPEG_QUALITY, SIZES, WEBP_QUALITY, Format, variants

WORKERS = 2
COMMANDS = {"vipsthumbnail": "vipsthumbnail", "ImageMagick": "convert"}
"""Peers that are programs."""

OUT = Path(__file__).resolve().parent / "out"

LARGEST_FIRST = sorted(SIZES, reverse=True)
MB = 1 << 20


@dataclass(frozen=True)
class Result:
    """`peak_bytes` is what the peer's two largest processes may have held at once."""

    seconds: float
    peak_bytes: int


Figures = dict[str, dict[str, Result]]
"""Results by peer and kind of document."""


# The peers


async def in_pool(
    function: Callable[[Path, Format, Path], None], paths: Sequence[Path], format: Format, out: Path
) -> Result:
    """A function over all files in two children that are already warm."""
    pool = CpuPool(WORKERS, name="bench")
    await asyncio.gather(*(pool.run(function, paths[0], format, out) for _ in range(WORKERS)))
    started = time.perf_counter()
    await asyncio.gather(*(pool.run(function, path, format, out) for path in paths))
    seconds = time.perf_counter() - started
    peak = sum(_highest_rss(pid) for pid in pool.pids())
    await pool.close()
    return Result(seconds, peak)


def _highest_rss(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return psutil.Process(pid).memory_info().rss
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def offload(path: Path, format: Format, out: Path) -> None:
    """What the thumbnails task runs."""
    for one in render_thumbnails(path, variants(SIZES, [format])):
        (out / f"{path.stem}-{one.variant.size}.{format}").write_bytes(one.data)


def plain_pillow(path: Path, format: Format, out: Path) -> None:
    """What one writes first: the whole picture decoded, then `thumbnail()` for each size."""
    if path.suffix == ".pdf":
        import pypdfium2

        image = pypdfium2.PdfDocument(path)[0].render(scale=2).to_pil()
    else:
        image = Image.open(path)
        image.load()
    for size in LARGEST_FIRST:
        small = image.convert("RGB")
        small.thumbnail((size, size), Image.Resampling.LANCZOS)
        quality = WEBP_QUALITY if format == "webp" else JPEG_QUALITY
        small.save(out / f"{path.stem}-{size}.{format}", format.upper(), quality=quality)


def vipsthumbnail(paths: Sequence[Path], format: Format, out: Path) -> list[list[str]]:
    """One run over half of the files for the largest size, then over its results: no start-up for each file."""
    options = f"Q={WEBP_QUALITY},effort={WEBP_EFFORT}" if format == "webp" else f"Q={JPEG_QUALITY},optimize-coding"
    commands, source = [], [str(path) for path in paths]
    for size in LARGEST_FIRST:
        name = f"%s-{size}.{format}"
        commands.append(["vipsthumbnail", *source, "--size", str(size), "-o", f"{out}/{name}[{options},strip]"])
        source = [str(out / (Path(path).stem + f"-{size}.{format}")) for path in source]
    return commands


def imagemagick(paths: Sequence[Path], format: Format, out: Path) -> list[list[str]]:
    """One run a file, told the size it may decode a JPEG at."""
    side = 2 * LARGEST_FIRST[0]
    commands = []
    for path in paths:
        command = ["convert", "-define", f"jpeg:size={side}x{side}", f"{path}[0]", "-auto-orient"]
        quality = str(WEBP_QUALITY if format == "webp" else JPEG_QUALITY)
        command += ["-quality", quality, "-define", f"webp:method={WEBP_EFFORT}"]
        for size in LARGEST_FIRST:
            last = size == LARGEST_FIRST[-1]
            target = str(out / f"{path.stem}-{size}.{format}")
            command += ["-thumbnail", f"{size}x{size}", *([target] if last else ["-write", target])]
        commands.append(command)
    return commands


def by_commands(
    peer: Callable[[Sequence[Path], Format, Path], list[list[str]]], paths: Sequence[Path], format: Format, out: Path
) -> Result:
    """Two lanes of commands, each taking every second file, one thread a command."""
    environment = os.environ | {"VIPS_CONCURRENCY": "1", "MAGICK_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1"}

    def peak_of(number: int) -> int:
        peak = 0
        for command in peer(paths[number::WORKERS], format, out):
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}")
            peak = max(peak, usage.ru_maxrss * 1024)
        return peak

    started = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as lanes:
        peaks = list(lanes.map(peak_of, range(WORKERS)))
    return Result(time.perf_counter() - started, sum(peaks))


async def measure(peer: str, paths: Sequence[Path], format: Format) -> Result:
    """One peer over one kind, its thumbnails counted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if peer in ("Offload", "plain Pillow"):
            result = await in_pool(offload if peer == "Offload" else plain_pillow, paths, format, out)
        else:
            commands = vipsthumbnail if peer == "vipsthumbnail" else imagemagick
            result = await asyncio.to_thread(by_commands, commands, paths, format, out)
        made = len(list(out.glob(f"*.{format}")))
        if made != len(paths) * len(SIZES):
            raise RuntimeError(f"{peer} made {made} thumbnails of {len(paths)} documents")
        return result


async def compare(peers: Sequence[str], documents: Mapping[str, Sequence[Path]], format: Format) -> Figures:
    """Every peer over every kind, a kind at a time, so that a disturbance meets all of them alike."""
    figures: Figures = {peer: {} for peer in peers}
    for kind, paths in documents.items():
        for peer in peers:
            # Debian's ImageMagick is forbidden to open PDFs.
            if (peer, kind) != ("ImageMagick", "PDF"):
                figures[peer][kind] = await measure(peer, paths, format)
    return figures


def report(figures: Figures, documents: Mapping[str, Sequence[Path]], format: Format) -> None:
    """The table, and bench/out/thumbnails.json."""
    title = f"Documents a second at {', '.join(map(str, SIZES))} px as {format}, {WORKERS} processes"
    columns = [f"{kind} ({len(paths)})" for kind, paths in documents.items()]
    table = Table("", *columns, "peak MB", title=title, min_width=100)
    rows = []
    for peer, results in figures.items():
        rates = {kind: len(documents[kind]) / result.seconds for kind, result in results.items()}
        peak_mb = max(result.peak_bytes for result in results.values()) / MB
        table.add_row(peer, *(f"{rates[kind]:.1f}" if kind in rates else "–" for kind in documents), f"{peak_mb:.0f}")
        rows.append({"peer": peer, "documents_per_s": rates, "peak_mb": peak_mb})
    Console().print(table)
    body = {
        "title": title,
        "documents": {kind: len(paths) for kind, paths in documents.items()},
        "rows": rows,
        "versions": {"pillow": version("pillow"), "pypdfium2": version("pypdfium2")} | programs(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    OUT.mkdir(exist_ok=True)
    (OUT / "thumbnails.json").write_text(json.dumps(body, indent=1))


def programs() -> dict[str, str]:
    """The first line of what each installed program says of its version."""
    paths = {command: shutil.which(command) for command in COMMANDS.values()}
    return {
        command: subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for command, path in paths.items()
        if path
    }


async def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--pdfs", type=int, default=100)
    parser.add_argument("--format", choices=["webp", "jpeg"], default="webp")
    given = parser.parse_args()
    peers = ["Offload", "plain Pillow", *(peer for peer, command in COMMANDS.items() if shutil.which(command))]
    with tempfile.TemporaryDirectory() as folder:
        documents = await make_documents(Path(folder), given.photos, given.pdfs, WORKERS)
        report(await compare(peers, documents, given.format), documents, given.format)


if __name__ == "__main__":
    asyncio.run(main())
