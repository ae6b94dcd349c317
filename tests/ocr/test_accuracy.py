"""Accuracy, with floors, on pages set and worn by the tests. No seed here is one of the calibration's."""

from pathlib import Path

import pytest

from service.engine.pool.cpu_pool import CpuPool
from tasks.ocr.networks.quantize import SEEDS
from tasks.ocr.page import Reading, prepare_engine, read_page
from tasks.ocr.synthetic.scan import CLEAN, HEAVY, MILD, Wear
from tasks.ocr.words import PageText, decode
from tests.ocr import documents, drawings
from tests.ocr.score import precision, recall

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEED = 700

# It takes seconds a page, and half a minute to make its networks.
EASYOCR = pytest.param("easyocr", marks=pytest.mark.slow)


async def read(
    pool: CpuPool, tmp_path: Path, models: Path, engine: str, wear: Wear, words: int = 230
) -> tuple[PageText, str]:
    data, truth = documents.scan_pdf(words=words, seed=SEED, wear=wear)
    path = tmp_path / "scan.pdf"
    path.write_bytes(data)
    reading = Reading(models, engine)
    await pool.run(prepare_engine, reading)
    return decode(await pool.run(read_page, path, 0, reading)), truth[0]


async def test_no_page_is_scored_that_networks_were_calibrated_on() -> None:
    assert SEED not in SEEDS


@pytest.mark.parametrize(
    ("engine", "wear", "floor"),
    [
        pytest.param("easyocr", CLEAN, 0.97, marks=pytest.mark.slow),
        pytest.param("easyocr", MILD, 0.97, marks=pytest.mark.slow),
        pytest.param("easyocr", HEAVY, 0.93, marks=pytest.mark.slow),
        ("rapidocr", CLEAN, 0.985),
        ("rapidocr", HEAVY, 0.98),
    ],
)
async def test_recall_and_precision_stay_above_their_floors(
    pool: CpuPool, tmp_path: Path, models: Path, engine: str, wear: Wear, floor: float
) -> None:
    page, truth = await read(pool, tmp_path, models, engine, wear)
    assert recall(page.text, truth) >= floor
    assert precision(page.text, truth) >= floor
    assert page.skew == pytest.approx(wear.skew, abs=0.1)


@pytest.mark.parametrize("engine", [EASYOCR, "rapidocr"])
@pytest.mark.parametrize("turn", [90, 180, 270])
async def test_turned_pages_are_read_and_their_turn_is_recorded(
    pool: CpuPool, tmp_path: Path, models: Path, engine: str, turn: int
) -> None:
    page, truth = await read(pool, tmp_path, models, engine, Wear(turn=turn), words=60)
    assert page.rotation == (360 - turn) % 360
    assert recall(page.text, truth) >= 0.97


async def test_auto_reads_with_rapidocr_and_prepares_nothing(pool: CpuPool, tmp_path: Path) -> None:
    data, truth = documents.scan_pdf(words=60, seed=SEED, wear=HEAVY)
    (tmp_path / "scan.pdf").write_bytes(data)
    page = decode(await pool.run(read_page, tmp_path / "scan.pdf", 0, Reading(tmp_path / "models", "auto")))
    assert page.engine == "rapidocr"
    assert recall(page.text, truth[0]) >= 0.985
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("engine", "drawn"),
    # EasyOCR takes seconds a page: those of its former turns that cost most stand for all.
    [("auto", drawn) for drawn in drawings.ALL]
    + [
        pytest.param("easyocr", drawn, marks=pytest.mark.slow, id=f"easyocr-{drawn.__name__}")
        for drawn in (drawings.receipt, drawings.scanner_edge)
    ],
)
async def test_pages_of_other_kinds_are_read_as_they_lie(
    pool: CpuPool, tmp_path: Path, models: Path, engine: str, drawn: drawings.Drawing
) -> None:
    picture, truth = drawn()
    picture.save(tmp_path / "page.png", dpi=(150, 150))
    reading = Reading(models, engine)
    await pool.run(prepare_engine, reading)
    page = decode(await pool.run(read_page, tmp_path / "page.png", 0, reading))
    assert page.rotation == 0
    assert recall(page.text, truth) >= (0.97 if engine == "auto" else 0.9)


async def test_boxes_lie_on_their_words(pool: CpuPool, tmp_path: Path, models: Path) -> None:
    """Against the boxes of the text layer from which the scan was made."""
    text, _ = documents.text_pdf(words=60, seed=SEED)
    path = tmp_path / "text.pdf"
    path.write_bytes(text)
    expected = decode(await pool.run(read_page, path, 0, Reading(models)))
    data, _ = documents.scan_pdf(words=60, seed=SEED)
    path.write_bytes(data)
    page = decode(await pool.run(read_page, path, 0, Reading(models, "rapidocr")))
    positions = {word.text: word.box for word in expected.words}
    shared = [
        (word.box, positions[word.text])
        for word in page.words
        if [w.text for w in expected.words].count(word.text) == 1 and word.text in positions
    ]
    assert len(shared) > 15
    close = [max(abs(a - b) for a, b in zip(box, true, strict=True)) < 6 for box, true in shared]
    assert sum(close) >= 0.9 * len(close)
