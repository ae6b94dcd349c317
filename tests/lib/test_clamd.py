"""The scanner's protocol, against a real clamd and against one that fails."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from service.lib.clamd import ScannerAway, StreamTooLong, scan_stream
from tests.clamd import (
    EICAR,
    SIGNATURE,
    STREAM_MAX,
    Behaviour,
    closing,
    failing,
    real_clamd,
    silent,
    speaking,
    too_long,
    verdicts,
)
from tests.documents.samples import in_chunks


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with real_clamd(tmp_path_factory.mktemp("clamd")) as urls:
        yield urls


@pytest.mark.parametrize("which", [0, 1], ids=["socket", "TCP"])
async def test_a_real_clamd_finds_what_it_has_a_signature_of(clamd: tuple[str, str], which: int) -> None:
    # Custom signatures are marked as such in its replies.
    assert await scan_stream(clamd[which], in_chunks(b"%PDF-1.7\n" + EICAR), 60) == f"{SIGNATURE}.UNOFFICIAL"
    assert await scan_stream(clamd[which], in_chunks(b"harmless" * 100_000), 60) is None


async def test_a_real_clamd_refuses_what_is_longer_than_its_limit(clamd: tuple[str, str]) -> None:
    for url in clamd:
        with pytest.raises(StreamTooLong):
            await scan_stream(url, in_chunks(b"x" * (STREAM_MAX * 4)), 60)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (closing, "it closed the connection"),
        (silent, "no verdict within 0.3 seconds"),
        (failing, 'it said "stream: Can\'t allocate memory ERROR"'),
    ],
)
async def test_a_scanner_that_gives_no_verdict(tmp_path: Path, behaviour: Behaviour, reason: str) -> None:
    async with speaking(tmp_path, behaviour) as url:
        with pytest.raises(ScannerAway, match=f"^{re.escape(reason)}$"):
            await scan_stream(url, in_chunks(b"x" * 5_000_000), 0.3 if behaviour is silent else 60)


async def test_a_scanner_that_is_not_there(tmp_path: Path) -> None:
    for url in (f"clamd+unix://{tmp_path}/none.sock", "clamd://127.0.0.1:1"):
        with pytest.raises(ScannerAway, match=r"No such file|onnect"):
            await scan_stream(url, in_chunks(b"x"), 60)


async def test_the_reply_to_a_stream_that_is_too_long_is_read_before_the_connection_is_lost(tmp_path: Path) -> None:
    async with speaking(tmp_path, too_long) as url:
        for _ in range(20):
            with pytest.raises(StreamTooLong):
                await scan_stream(url, in_chunks(b"x" * 3_000_000), 60)


async def test_a_stream_is_sent_whole(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 2_500_000 + EICAR[:30]
        yield b""
        yield EICAR[30:]

    async with speaking(tmp_path, verdicts) as url:
        assert await scan_stream(url, pieces(), 60) == SIGNATURE
